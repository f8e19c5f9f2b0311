import { usersOf } from './users.ts';
import { KAFKA_USERS, PORTS } from './names.ts';

/** Where the ConfigMap of the brokers is mounted. */
export const CONFIG_DIR = '/etc/hashcluster';

const ROLES = ['endpoint', 'worker'] as const;

/** What only the pod knows, and passwords: written in memory, since a ConfigMap holds no secrets. */
function writeConfig(domain: string): string {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  const clients = 'listener.name.clients.scram-sha-512.sasl.jaas.config';
  return `set -euo pipefail
umask 077
config=/run/kafka/server.properties
{
  cat ${CONFIG_DIR}/server.properties
  echo "node.id=\${POD_NAME##*-}"
  echo "advertised.listeners=CLIENTS://$POD_NAME.$SERVICE.$POD_NAMESPACE.svc.${domain}:${PORTS.kafka}"
  echo "listener.name.controller.plain.sasl.jaas.config=${plain} required username=\\"controller\\" password=\\"$CONTROLLER_PASSWORD\\" user_controller=\\"$CONTROLLER_PASSWORD\\";"
  echo "${clients}=${scram} required username=\\"broker\\" password=\\"$BROKER_PASSWORD\\";"
} > "$config"
cd /opt/kafka
`;
}

function scramLine(name: string, variable: string): string {
  return `    echo "SCRAM-SHA-512=[name=${name},password=$${variable}_PASSWORD]"`;
}

/**
 * The script that starts a broker. The first start writes the users into the metadata, which is the only way to have them
 * before the first connection; a role gets both of its users with its password of now, whichever of them its pods use.
 * Arguments of a process are visible to everybody on its node, so those with passwords are read from a file, one per line.
 * Source: argparse4j, `fromFilePrefix`, which `kafka-storage.sh` sets to `@`.
 */
export function startScript(domain: string): string {
  const lines = [
    scramLine('broker', 'BROKER'),
    ...ROLES.flatMap((role) => usersOf(role).map((user) => scramLine(user, role.toUpperCase()))),
  ];
  return `${writeConfig(domain)}if [[ ! -f /var/lib/kafka/data/logs/meta.properties ]]; then
  arguments=/run/kafka/format.arguments
  {
${lines.map((line) => `    echo "--add-scram"\n${line}`).join('\n')}
  } > "$arguments"
  bin/kafka-storage.sh format --cluster-id="$CLUSTER_ID" --config "$config" "@$arguments"
  rm -f "$arguments"
fi
exec bin/kafka-server-start.sh "$config"
`;
}

/**
 * The script by which pods know whether they run with the configuration of now. {@link startScript} differs from it only in
 * how storage is formatted, which is no reason to restart a broker that has formatted its own. To be dropped with the next
 * change that restarts brokers anyway.
 */
export function fingerprintedScript(domain: string): string {
  const users = KAFKA_USERS.filter((user) => user !== 'controller');
  return `${writeConfig(domain)}if [[ ! -f /var/lib/kafka/data/logs/meta.properties ]]; then
  bin/kafka-storage.sh format --cluster-id="$CLUSTER_ID" --config "$config"${users
    .map(
      (user) =>
        ` \\\n    --add-scram "SCRAM-SHA-512=[name=${user},password=$${user.toUpperCase()}_PASSWORD]"`,
    )
    .join('')}
fi
exec bin/kafka-server-start.sh "$config"
`;
}
