import { AdminServer, type Checks } from '../runtime/admin-server.ts';
import { Lifecycle, type Part } from '../runtime/lifecycle.ts';
import type { LogSettings } from '../runtime/log-settings.ts';
import { originOf } from '../runtime/origin.ts';
import type { TelemetrySettings } from '../runtime/telemetry-settings.ts';
import { startTelemetry, type Telemetry } from '../runtime/telemetry.ts';

/** EX_SOFTWARE of sysexits.h. */
const EXIT_FAULT = 70;

/** What every process of HashCluster is told. */
export interface ProcessSettings {
  /** `service.name` in logs and traces. */
  readonly service: string;
  readonly version: string;
  /** The name of this process among others. */
  readonly instance: string;
  readonly adminHost: string;
  /** 0: any free port. */
  readonly adminPort: number;
  /** Names in `Host` headers that probes and metrics answer to on loopback, besides those of this machine. */
  readonly allowedHosts: readonly string[];
  readonly log: LogSettings;
  readonly colour: boolean;
  readonly telemetry: TelemetrySettings;
}

/** What the parts of a process stand on. */
export interface Ground {
  readonly telemetry: Telemetry;
  /** Aborted when the process stops, also while it starts. */
  readonly signal: AbortSignal;
  /** What cannot go on ends the process, after an orderly stop of what still can. */
  readonly fault: (error: Error) => void;
}

/** What a process is made of, in the order in which it starts. */
export interface Assembly {
  readonly parts: readonly Part[];
  /** The process would be better off restarted when one of these is wrong. */
  readonly live?: Checks;
  /** No work should come here while one of these is wrong. */
  readonly ready: Checks;
  readonly health?: Checks;
  readonly info?: () => Readonly<Record<string, unknown>>;
}

export interface StartedProcess {
  readonly adminUrl: string;
  readonly stop: () => Promise<void>;
}

/**
 * Starts telemetry, probes, then the parts. Resolves when all have started; rejects with what hinders them, or with the
 * signal's reason when that aborts meanwhile. Nothing is left running then.
 */
export async function startProcess(
  settings: ProcessSettings,
  signal: AbortSignal,
  assemble: (ground: Ground) => Assembly | Promise<Assembly>,
): Promise<StartedProcess> {
  const telemetry = await telemetryOf(settings);
  const lifecycle = new Lifecycle(telemetry.logger);
  const stopped = new AbortController();
  const stop = async (): Promise<void> => {
    stopped.abort(signal.aborted ? signal.reason : new Error('the process stops'));
    await lifecycle.stop();
    await telemetry.stop();
  };
  const onAbort = (): void => void stop();
  signal.addEventListener('abort', onAbort);
  try {
    signal.throwIfAborted();
    const ground = { telemetry, signal: stopped.signal, fault: faultHandler(telemetry, stop) };
    const adminUrl = await startParts(settings, { telemetry, lifecycle }, await assemble(ground));
    signal.throwIfAborted();
    return { adminUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function startParts(
  settings: ProcessSettings,
  { telemetry, lifecycle }: { readonly telemetry: Telemetry; readonly lifecycle: Lifecycle },
  { parts, live = {}, ready, health = {}, info = () => ({}) }: Assembly,
): Promise<string> {
  const { adminHost: host, adminPort: port, allowedHosts } = settings;
  let started = false;
  const admin = new AdminServer({
    ...{
      host,
      port,
      allowedHosts,
      logger: telemetry.logger,
      live,
      health,
      info,
      metrics: telemetry.prometheusHandler,
    },
    ready: { process: () => (started ? null : 'it is starting'), ...ready },
  });
  let bound = port;
  const probes: Part = {
    name: 'admin',
    start: async () => (bound = (await admin.start()).port),
    stop: () => admin.stop(),
  };
  await lifecycle.start([probes, ...parts]);
  started = true;
  return originOf(host, bound);
}

function faultHandler({ logger }: Telemetry, stop: () => Promise<void>): (error: Error) => void {
  return (error) => {
    // What is acknowledged is in the store; a process that cannot work helps nobody.
    logger.error('The process ends because of a fault', { error });
    void stop().finally(() => process.exit(EXIT_FAULT));
  };
}

function telemetryOf(settings: ProcessSettings): Promise<Telemetry> {
  const { service, version, instance, telemetry, log, colour } = settings;
  return startTelemetry({
    ...{ service, version, instance, settings: telemetry },
    log: { ...log, stream: 'stderr', colour: log.format === 'pretty' && colour },
  });
}
