import { relative } from 'node:path';
import { deadline } from './deadline-rule.js';
import { brokenBy } from './import-rules.js';
import { targetOf } from './import-targets.js';

const IN_SOURCE = /^(services|operator)\/src\//;

/** @import { Rule } from 'eslint' */

/**
 * Names taken from a Node module, for rules that allow some of them. `*` is everything.
 * @param {any} node an import or export declaration, or an import expression
 * @returns {string[]}
 */
function namesTaken(node) {
  if (node.type !== 'ImportDeclaration' && node.type !== 'ExportNamedDeclaration') return ['*'];
  if (node.specifiers.length === 0) return [''];
  return node.specifiers.map((/** @type {any} */ specifier) => {
    const named = specifier.type === 'ImportSpecifier' ? specifier.imported : specifier.local;
    const isNamed = specifier.type === 'ImportSpecifier' || specifier.type === 'ExportSpecifier';
    return isNamed ? (named.name ?? named.value) : '*';
  });
}

/** @param {Rule.RuleContext} context */
function importingFile(context) {
  return relative(context.cwd, context.filename).replaceAll('\\', '/');
}

/** Holds the table of import rules over every way there is to import something, types included. */
const imports = /** @satisfies {Rule.RuleModule} */ ({
  meta: { type: 'problem', schema: [] },
  create(context) {
    const from = importingFile(context);

    /** @param {any} node @param {any} source */
    const check = (node, source) => {
      if (source === null || source === undefined) return;
      if (typeof source.value !== 'string') {
        if (IN_SOURCE.test(from))
          context.report({
            node: source,
            message: 'An import that is computed cannot be checked: write it out.',
          });
        return;
      }
      const target = targetOf(from, source.value);
      const targets = target.startsWith('node:')
        ? namesTaken(node).map((name) => `${target}#${name}`)
        : [target];
      const broken = new Set(targets.flatMap((to) => brokenBy(from, to)));
      for (const { rule, says } of broken) {
        context.report({ node: source, message: `Import rule ${rule}: ${says}` });
      }
    };

    return {
      ImportDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      TSImportType: (/** @type {any} */ node) => check(node, node.source ?? node.argument?.literal),
      'CallExpression[callee.name="require"]': (/** @type {any} */ node) => check(node, node.arguments[0]),
    };
  },
});

/**
 * Whether this calls `describe`, `describe.each(…)`, `(able ? describe : describe.skip)`, or something named like them.
 * @param {any} node
 * @param {Rule.RuleContext} context
 * @param {RegExp} [names]
 */
function calls(node, context, names = /\bdescribe/) {
  return node?.type === 'CallExpression' && names.test(context.sourceCode.getText(node.callee));
}

/**
 * Whether a function only groups tests: it is given to `describe`, or it calls `describe` or `test` itself.
 * @param {any} node
 * @param {Rule.RuleContext} context
 */
function groupsTests(node, context) {
  if (calls(node.parent, context)) return true;
  const statements = node.body.type === 'BlockStatement' ? node.body.body : [];
  return statements.some((/** @type {any} */ { expression }) =>
    calls(expression, context, /\b(describe|test\b)/),
  );
}

/** Like ESLint's `max-lines-per-function`, but functions that only group tests may be as long as they need. */
const functionLines = /** @satisfies {Rule.RuleModule} */ ({
  meta: { type: 'suggestion', schema: [{ type: 'integer', minimum: 1 }] },
  create(context) {
    const max = Number(context.options[0]);

    /** @param {any} node */
    const check = (node) => {
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines <= max || groupsTests(node, context)) return;
      context.report({ node, message: `This function has ${lines} lines; ${max} are allowed.` });
    };
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
});

/** The rules that this repository adds to ESLint's. */
export const house = { rules: { imports, 'function-lines': functionLines, deadline } };
