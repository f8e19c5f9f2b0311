import type { ContainerStatus, Pod } from '../kube.ts';
import { timeOf } from '../pods.ts';
import type { Illness } from './healing-plan.ts';

/** Why a container of a pod does not start. */
export interface StartFailure {
  readonly illness: Illness;
  /** The kubelet's reason; one for all phases of the same failure. */
  readonly reason: string;
  readonly restarts: number;
  /** For people: the same text as long as the cause is the same. */
  readonly says: string;
}

/** Reasons of the kubelet for a container that waits. Source: Kubernetes, `pkg/kubelet/images`, `pkg/kubelet/container`. */
const WAITING: Readonly<Record<string, Illness>> = {
  ErrImagePull: 'ImagePull',
  ImagePullBackOff: 'ImagePull',
  ImageInspectError: 'ImagePull',
  RegistryUnavailable: 'ImagePull',
  InvalidImageName: 'BadSpec',
  ErrImageNeverPull: 'BadSpec',
  CreateContainerConfigError: 'BadSpec',
  CreateContainerError: 'BadSpec',
  CrashLoopBackOff: 'CrashLoop',
};

/** Between two crashes a container runs: within this time of its start, the failure is still the same. Milliseconds. */
const CRASH_GAP_MS = 60_000;
/** Of what a container has left in its termination log. */
const MAX_LAST_WORDS = 500;
/** So many restarts are no accident. */
const CRASH_LOOP = 2;

/** The first container of a pod that does not start; null: there is none, or it is not known yet. */
export function startFailureOf({ status = {} }: Pod, now: number): StartFailure | null {
  const { initContainerStatuses = [], containerStatuses = [] } = status;
  for (const container of [...initContainerStatuses, ...containerStatuses]) {
    const failure = ofWaiting(container) ?? ofCrashGap(container, now);
    if (failure) return failure;
  }
  return null;
}

function ofWaiting(container: ContainerStatus): StartFailure | null {
  const { restartCount: restarts, state } = container;
  const { reason = '', message = '' } = state?.waiting ?? {};
  const illness = WAITING[reason];
  if (!illness) return null;
  if (illness === 'CrashLoop') return { illness, reason, restarts, says: crashWords(container) };
  const isPull = reason === 'ErrImagePull' || reason === 'ImagePullBackOff';
  const says = isPull ? pullWords(container, message) : `container ${container.name}: ${message || reason}`;
  return { illness, reason: isPull ? 'ImagePullBackOff' : reason, restarts, says };
}

/** A container that has crashed repeatedly and is about to do so again. */
function ofCrashGap(container: ContainerStatus, now: number): StartFailure | null {
  const { ready, restartCount: restarts } = container;
  if (ready || restarts < CRASH_LOOP || !isBetweenCrashes(container, now)) return null;
  return { illness: 'CrashLoop', reason: 'CrashLoopBackOff', restarts, says: crashWords(container) };
}

function isBetweenCrashes({ state, lastState }: ContainerStatus, now: number): boolean {
  if (state?.terminated) return true;
  const started = timeOf(state?.running?.startedAt);
  return lastState?.terminated !== undefined && started !== null && now - started < CRASH_GAP_MS;
}

/** Without what the kubelet puts before the error while it waits to pull again. */
function pullWords({ name, image = '' }: ContainerStatus, message: string): string {
  const error = message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull)?(: )?/, '');
  return `container ${name}: cannot pull image ${image}${error && `: ${error}`}`;
}

/** With what the container has left as its last words (`/dev/termination-log`). */
function crashWords({ name, state, lastState }: ContainerStatus): string {
  const { exitCode = 'unknown', reason, message = '' } = state?.terminated ?? lastState?.terminated ?? {};
  const code = `exit code ${exitCode}${reason === undefined ? '' : `, ${reason}`}`;
  const last = message.trim().slice(0, MAX_LAST_WORDS);
  return `container ${name} exits again and again (${code})${last && `: ${last}`}`;
}
