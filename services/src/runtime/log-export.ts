import type { Context } from '@opentelemetry/api';
import { OpenTelemetryTransportV3 } from '@opentelemetry/winston-transport';
import winston from 'winston';
import type { LogInfo } from './logger.ts';

/** Log lines about telemetry itself carry this `component`. They are not exported: a broken exporter would feed itself. */
export const TELEMETRY_COMPONENT = 'telemetry';

/** Winston's name for a record's level, and the transport's name for the context a record belongs to. */
const LEVEL = Symbol.for('level');
const CONTEXT = Symbol.for('opentelemetry.js.contrib.winston.context');

/**
 * Sends log records to OpenTelemetry's global logger provider. A record whose `traceId` names an open span becomes part
 * of that trace.
 */
export function logExportTransport(contextOf: (traceId: string) => Context | undefined): winston.transport {
  const toRecord = winston.format((info) => {
    const { level, message, fields } = (info as LogInfo).record;
    if (fields['component'] === TELEMETRY_COMPONENT) return false;
    const context = typeof fields['traceId'] === 'string' ? contextOf(fields['traceId']) : undefined;
    return { ...fields, level, message, [LEVEL]: level, ...(context && { [CONTEXT]: context }) };
  });
  return new OpenTelemetryTransportV3({ format: toRecord() });
}
