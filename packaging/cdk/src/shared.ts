import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * An alarm of the CloudFormation template.
 * @internal
 */
export interface _SharedAlarm {
  readonly name: string;
  readonly description: string;
  readonly namespace: string;
  readonly metric: string;
  readonly statistic: string;
  /** In seconds. */
  readonly period: number;
  readonly periods: number;
  readonly comparison: string;
  readonly threshold: number;
  readonly missing: string;
  readonly tells: 'ALARM' | 'INSUFFICIENT_DATA';
  readonly of_renewal: boolean;
}

/**
 * What this library has in common with the CloudFormation template, made from that by tests/tools/shared.py.
 * @internal
 */
export interface _Shared {
  readonly alarms: _SharedAlarm[];
  readonly chat: { [name: string]: { description: string; pattern: any; paths: any; template: string } };
  readonly artifacts: { read: any; decrypt: any };
  readonly first_renewal: any;
}

/** @internal */
export const _shared: _Shared = JSON.parse(made('shared.json'));

/** @internal */
export const _dashboard: string = made('dashboard.json.tftpl');

/**
 * The text with a value in the place of each name. A name without a value is a fault of this library.
 * @internal
 */
export function _filled(text: string, values: { [name: string]: string }): string {
  return text.replace(/\$\{([^}]+)\}/g, (_, name) => {
    if (values[name] === undefined) {
      throw new Error(`nothing is known of ${name}`);
    }
    return values[name];
  });
}

function made(name: string): string {
  return readFileSync(join(__dirname, '../schema', name), 'utf8');
}
