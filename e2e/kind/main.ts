import { createCluster, deleteCluster, loadImages } from './lib/cluster.ts';

const HELP = `The kind cluster of the stories in e2e/kind/stories.

  node e2e/kind/main.ts up      makes it unless it is there, builds the images and loads them
  node e2e/kind/main.ts down    deletes it`;

async function main(args: readonly string[]): Promise<number> {
  const say = (line: string): void => console.error(`e2e: ${line}`);
  switch (args[0]) {
    case 'up':
      await createCluster(say);
      await loadImages(say);
      return 0;
    case 'down':
      await deleteCluster();
      return 0;
    default:
      console.log(HELP);
      return args[0] === '--help' ? 0 : 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
