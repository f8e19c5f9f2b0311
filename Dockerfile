# HashCluster's two images, of one build:
#   docker build --target services -t hashcluster/services:dev .       endpoint, worker and everything else of the CLI
#   docker build --target operator -t hashcluster/operator:dev .
ARG BUILDER=node:24-bookworm-slim
ARG RUNTIME=gcr.io/distroless/nodejs24-debian13:nonroot
ARG VERSION=0.1.0

FROM ${BUILDER} AS packages
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ENV NPM_CONFIG_AUDIT=false NPM_CONFIG_FUND=false NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_IGNORE_SCRIPTS=true
COPY package.json package-lock.json .npmrc ./
COPY services/package.json services/
COPY operator/package.json operator/
COPY e2e/package.json e2e/
RUN npm ci
COPY e2e/images/trim e2e/images/minify.ts e2e/images/production.ts e2e/images/

# What it takes to run: no compilers, and not the Node.js that npm brings for machines without one.
FROM packages AS services-packages
RUN node e2e/images/production.ts services /production
WORKDIR /production
RUN npm ci --prefer-offline \
    && npm sbom --workspace services --sbom-format cyclonedx > sbom.cdx.json \
    && /app/e2e/images/trim node_modules \
    && node /app/e2e/images/minify.ts node_modules

FROM packages AS services-build
COPY tsconfig.base.json ./
COPY services services
RUN npx tsc -p services && e2e/images/trim services/dist && node services/native/build.ts && mkdir /data

FROM ${RUNTIME} AS services
WORKDIR /app
COPY --from=services-packages /production/node_modules node_modules
COPY --from=services-packages /production/sbom.cdx.json ./
COPY LICENSE ./
COPY services/package.json services/
COPY services/bin services/bin
COPY --from=services-build /app/services/dist services/dist
COPY --from=services-build /app/services/native/build services/native/build
# `start` keeps its jobs here; endpoints and workers keep nothing and run on a read-only root.
COPY --from=services-build --chown=65532:65532 /data /data
# In a container, 127.0.0.1 is heard by nobody.
ENV NODE_ENV=production HASHCLUSTER_DATA=/data LISTEN_HOST=0.0.0.0 ADMIN_HOST=0.0.0.0
EXPOSE 5000 9090
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node", "/app/services/bin/hashcluster.js"]
CMD ["--help"]
ARG VERSION
ARG REVISION=unknown
ARG RUNTIME
LABEL org.opencontainers.image.title="HashCluster services" \
      org.opencontainers.image.description="Endpoint and worker: iterated SHA-512 as a service" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://hashcluster.io" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${RUNTIME}"

FROM packages AS operator-packages
RUN node e2e/images/production.ts operator /production
WORKDIR /production
RUN npm ci --prefer-offline \
    && npm sbom --workspace operator --sbom-format cyclonedx > sbom.cdx.json \
    && /app/e2e/images/trim node_modules \
    && node /app/e2e/images/minify.ts node_modules

FROM packages AS operator-build
COPY tsconfig.base.json ./
COPY operator operator
RUN npx tsc -p operator && e2e/images/trim operator/dist

FROM ${RUNTIME} AS operator
WORKDIR /app
COPY --from=operator-packages /production/node_modules node_modules
COPY --from=operator-packages /production/sbom.cdx.json ./
COPY LICENSE ./
COPY operator/package.json operator/
COPY --from=operator-build /app/operator/dist operator/dist
# One arena of the allocator: what little native memory there is lies together, which saves some MiB.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
EXPOSE 9090
USER 65532:65532
# Of the container's memory 44 % is for objects, and little of that for young ones, for most of what is read stays. One of V8's two
# optimizing compilers does, and only for what runs often: that is 12 MiB less for one HashCluster and about 15 for 200, for a quarter
# more time of the processor (operator/src/testing/bench-scale.ts, which has the same flags).
ENTRYPOINT ["/nodejs/bin/node", "--max-old-space-size-percentage=44", "--max-semi-space-size=1", \
    "--no-opt", "--invocation-count-for-maglev=10000", "/app/operator/dist/main.js"]
ARG VERSION
ARG REVISION=unknown
ARG RUNTIME
LABEL org.opencontainers.image.title="HashCluster operator" \
      org.opencontainers.image.description="Reconciles, scales and heals HashClusters" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.url="https://hashcluster.io" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${RUNTIME}"
