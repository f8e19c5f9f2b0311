import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { targetOf } from './import-targets.js';

/** @typedef {ReadonlyMap<string, readonly string[]>} ImportGraph each file, and the files that it imports (types too) */

/**
 * The imports among the source files of some folders, by paths from the root.
 * @param {string} root
 * @param {readonly string[]} folders
 * @returns {ImportGraph}
 */
export function importGraph(root, folders) {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root, exclude: isBuilt }));
  return new Map(files.map((file) => [file, importsOf(file, readFileSync(join(root, file), 'utf8'))]));
}

/** @param {string} path */
function isBuilt(path) {
  return /(^|\/)(node_modules|dist)$/.test(path);
}

/**
 * @param {string} file
 * @param {string} text
 */
function importsOf(file, text) {
  return ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => targetOf(file, specifier));
}

/**
 * Groups of files that import each other in a circle, each group sorted. Source: R. E. Tarjan, "Depth-first search and
 * linear graph algorithms", 1972.
 * @param {ImportGraph} graph
 * @returns {string[][]}
 */
export function importCycles(graph) {
  /** @type {Map<string, { index: number, low: number, open: boolean }>} */
  const seen = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @type {string[][]} */
  const cycles = [];

  /** @param {string} file */
  const visit = (file) => {
    const state = { index: seen.size, low: seen.size, open: true };
    seen.set(file, state);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      const known = seen.get(next);
      if (!known) state.low = Math.min(state.low, visit(next).low);
      else if (known.open) state.low = Math.min(state.low, known.index);
    }
    if (state.low === state.index) close(file);
    return state;
  };

  /** @param {string} file */
  const close = (file) => {
    const group = stack.splice(stack.indexOf(file));
    for (const member of group) /** @type {{ open: boolean }} */ (seen.get(member)).open = false;
    if (group.length > 1 || graph.get(file)?.includes(file)) cycles.push(group.sort());
  };

  for (const file of graph.keys()) if (!seen.has(file)) visit(file);
  return cycles;
}
