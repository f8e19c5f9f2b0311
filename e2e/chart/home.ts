import { run, type Outcome } from './tools.ts';

interface Live {
  readonly metadata: { readonly uid: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** A namespace of an API server in which a chart is installed, as a user does it. */
export class Home {
  readonly #kubeconfig: string;
  readonly #name: string;

  constructor(kubeconfig: string, name: string) {
    this.#kubeconfig = kubeconfig;
    this.#name = name;
  }

  /** Runs one of the Helms to its end. */
  helm(program: string, ...args: string[]): Outcome {
    return run(program, [...args, '--kubeconfig', this.#kubeconfig, '--namespace', this.#name]);
  }

  /** Standard output; throws on failure. */
  kubectl(args: readonly string[], input = ''): string {
    const all = ['--kubeconfig', this.#kubeconfig, '--namespace', this.#name, ...args];
    const { code, stdout, output } = run('kubectl', all, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${output}`);
    return stdout;
  }

  /** Runs a line as a user would. */
  shell(line: string): Outcome {
    return run('sh', ['-c', `export KUBECONFIG="$0"; ${line}`, this.#kubeconfig]);
  }

  /** Whether kubectl answers yes. */
  can(args: readonly string[]): boolean {
    return run('kubectl', ['--kubeconfig', this.#kubeconfig, '--namespace', this.#name, ...args]).code === 0;
  }

  apply(name: string, spec: Readonly<Record<string, unknown>>): void {
    const object = { apiVersion: 'hashcluster.io/v1alpha1', kind: 'HashCluster', metadata: { name }, spec };
    this.kubectl(['apply', '--filename', '-', '--validate=false'], JSON.stringify(object));
  }

  read(name: string): Live {
    return JSON.parse(this.kubectl(['get', 'hashcluster', name, '--output', 'json'])) as Live;
  }

  /** Names of what there is of a kind, here. */
  names(kinds: string): string[] {
    return this.kubectl(['get', kinds, '--output', 'name']).split('\n').filter(Boolean).sort();
  }
}
