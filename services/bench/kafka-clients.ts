import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { rounded } from '../../e2e/lib/statistics.ts';
import { KAFKA_CLIENTS, type KafkaClientName } from '../src/adapters/kafka/options.ts';
import { ChatProcess } from '../src/adapters/kafka/testing/chat.ts';
import { OwnBroker } from '../src/adapters/kafka/testing/own-broker.ts';
import type { Figures } from './kafka-round.ts';
import { median, printMachine, printResult } from './report.ts';

const HELP = `The bus on Kafka through one client and through the other, in turns, against one broker in a container.

  npm run bench -- kafka-clients [--rounds 3]

Joins are from the call to the first message, leaves and kills until the messages of all partitions come to
the member that stays. Throughput is with acks from all replicas. After the rounds the broker is killed and started
again while both clients talk. Needs Docker. Ratios are @platformatic/kafka's figures by kafkajs's.`;

const ROUND = fileURLToPath(new URL('kafka-round.ts', import.meta.url));
const ROUND_MS = 300_000;

/** Runs the bench. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  printMachine();
  const broker = await OwnBroker.start();
  try {
    const figures = await rounds(broker.broker, Number(values.rounds));
    const killed = await killBroker(broker);
    for (const client of KAFKA_CLIENTS) Object.assign(figures[client], killed[client]);
    print(figures);
  } finally {
    await broker.remove();
  }
}

type Both = Record<KafkaClientName, Record<string, number>>;

/** The medians of each client's rounds. */
async function rounds(broker: string, count: number): Promise<Both> {
  const all: Record<KafkaClientName, Figures[]> = { platformatic: [], kafkajs: [] };
  for (let i = 0; i < count; i++) {
    for (const client of KAFKA_CLIENTS) {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [ROUND, client, broker], {
        timeout: ROUND_MS,
      });
      if (stderr !== '') console.log(`${client} on stderr: ${stderr}`);
      all[client].push(JSON.parse(stdout) as Figures);
    }
  }
  return { platformatic: medians(all.platformatic), kafkajs: medians(all.kafkajs) };
}

function medians(figures: readonly Figures[]): Record<string, number> {
  const names = Object.keys(figures[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, median(figures.map((each) => each[name]!))]));
}

/** SIGKILL and a new start: milliseconds from when the broker is there again, and what was told meanwhile. */
async function killBroker(broker: OwnBroker): Promise<Both> {
  const chats = KAFKA_CLIENTS.map((client) => new ChatProcess(client, broker.broker, `${client}.`));
  await Promise.all(chats.map((chat) => chat.untilWell()));
  await broker.kill();
  await Promise.all(chats.map((chat) => chat.until(({ trouble }) => trouble !== null)));
  await broker.restart();
  const begin = performance.now();
  const one = async (chat: ChatProcess): Promise<Record<string, number>> => {
    await chat.untilWell();
    const recoveryMs = performance.now() - begin;
    const { log, longestMs } = chat.last;
    const { stderr } = await chat.stop();
    if (stderr !== '') console.log(stderr);
    return { recoveryMs, linesLogged: log.length, longestPublishMs: longestMs };
  };
  const [platformatic, kafkajs] = await Promise.all(chats.map(one));
  return { platformatic: platformatic!, kafkajs: kafkajs! };
}

function print({ platformatic, kafkajs }: Both): void {
  const ratios: Record<string, number> = {};
  console.log(`${''.padEnd(20)}${'platformatic'.padStart(14)}${'kafkajs'.padStart(14)}`);
  for (const [name, ours] of Object.entries(platformatic)) {
    const theirs = kafkajs[name]!;
    const text = (value: number): string => value.toPrecision(value >= 1_000 ? 6 : 3).padStart(14);
    console.log(`${name.padEnd(20)}${text(ours)}${text(theirs)}`);
    ratios[name] = rounded(ours / theirs);
  }
  printResult('kafka-clients', ratios, { platformatic, kafkajs });
}
