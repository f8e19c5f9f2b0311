import type { Role } from '../observed.ts';
import { ownApplied, type Context } from './context.ts';
import { formerUserAnnotation, userAnnotation } from './names.ts';

/** Whether pods come as that user: only then it needs a second one while passwords change. */
export function isRole(user: string): user is Role {
  return user === 'endpoint' || user === 'worker';
}

/** Both users that a role has in turn. */
export function usersOf(role: Role): string[] {
  return [role, `${role}-2`];
}

/** The user that gets the next password: for a role the other one of two. */
export function nextUser(user: string, active: string): string {
  return isRole(user) ? usersOf(user).find((other) => other !== active)! : user;
}

/** The user of a managed server that has the password in force: the user itself, or for a role the other one of two. */
export function activeUser(context: Context, server: 'mongodb' | 'kafka', user: string): string {
  if (!isRole(user)) return user;
  const noted = ownApplied(context, server)?.annotations[userAnnotation(user)];
  return noted !== undefined && usersOf(user).includes(noted) ? noted : user;
}

/** Whether a role has ever been given another user than its first one. */
export function isRotated(context: Context, server: 'mongodb' | 'kafka', role: Role): boolean {
  return ownApplied(context, server)?.annotations[userAnnotation(role)] !== undefined;
}

/**
 * The user of Kafka that a role had before the one of now, as long as it may exist; null: it does not. Brokers are not asked
 * for their users, so this is noted with what is applied.
 */
export function formerUser(context: Context, role: Role): string | null {
  const noted = ownApplied(context, 'kafka')?.annotations[formerUserAnnotation(role)];
  const isOther = noted !== activeUser(context, 'kafka', role);
  return noted !== undefined && isOther && usersOf(role).includes(noted) ? noted : null;
}
