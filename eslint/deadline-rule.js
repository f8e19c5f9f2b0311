import { ESLintUtils } from '@typescript-eslint/utils';

/**
 * Calls that leave the process need a deadline of our own: drivers wait without one in more places than they say. A call
 * leaves when one of `packages` or `interfaces` declares what is called and the answer is a promise, when it hands a connection
 * on, or when it is a request over HTTP. It is bounded
 *  - inside an argument of one of the `wrappers`, directly or as a constant that is handed to one;
 *  - in a function that was given the connection: whoever gives it is checked instead;
 *  - in a private function all of whose callers are bounded;
 *  - in a method that one of `interfaces` promises: calls of that interface are checked instead;
 *  - over HTTP, by a `signal` or a `timeout`.
 */

/** @import { Rule } from 'eslint' */
/** @typedef {{ packages: string[], interfaces: string[], carriers: string[], wrappers: string[] }} Options */

const HTTP_FILES = /\/@types\/node\/(http|https|http2)\.d\.ts$/;
const HTTP_NAMES = new Set(['request', 'get']);
const FUNCTION = /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/;
const MEMBER = /^(MethodDefinition|PropertyDefinition)$/;

/** @param {any} callee */
function nameOf(callee) {
  if (callee.type === 'MemberExpression') return callee.property.name;
  return callee.type === 'Identifier' ? callee.name : undefined;
}

/** Whether an argument that is written out names a signal. @param {any} call */
function hasSignal(call) {
  return call.arguments.some(
    (/** @type {any} */ { type, properties }) =>
      type === 'ObjectExpression' &&
      properties.some((/** @type {any} */ { key }) => key?.name === 'signal' || key?.name === 'timeout'),
  );
}

/**
 * What types tell of calls and functions.
 * @param {any} services
 * @param {Options} options
 */
function typeQuestions(services, { packages, interfaces, carriers }) {
  const checker = services.program.getTypeChecker();
  const vendors = new RegExp(`/node_modules/(${packages.join('|')})/`);

  /** Whether it is a connection, or holds some. @param {any} node */
  const isCarrier = (node) => {
    const { aliasSymbol, symbol } = services.getTypeAtLocation(node);
    return [aliasSymbol, symbol].some((each) => each && carriers.includes(each.name));
  };

  /** Also under another name: `const send = overTls ? https.request : http.request`. @param {any} call */
  const isHttpRequest = (call) =>
    HTTP_NAMES.has(nameOf(call.callee) ?? '') ||
    HTTP_NAMES.has(services.getTypeAtLocation(call.callee).symbol?.name);

  /** Whether one of `interfaces` declares it. @param {any} declaration */
  const isPromise = (declaration) => interfaces.includes(declaration?.parent.name?.text);

  /** Whether a call leaves the process, and brings no signal. @param {any} call */
  const leaves = (call) => {
    if (call.callee.type === 'Identifier' && call.callee.name === 'fetch') return !hasSignal(call);
    const signature = checker.getResolvedSignature(services.esTreeNodeToTSNodeMap.get(call));
    const file = signature?.declaration?.getSourceFile().fileName ?? '';
    if (HTTP_FILES.test(file)) return isHttpRequest(call) && !hasSignal(call);
    if (!signature || !checker.getReturnTypeOfSignature(signature).getProperty('then')) return false;
    return vendors.test(file) || isPromise(signature.declaration) || call.arguments.some(isCarrier);
  };

  /** Whether others see to its deadline: those who gave it the connection, or who call the interface. @param {any} fn */
  const isForOthers = (fn) => {
    if (fn.params.some(isCarrier)) return true;
    if (fn.parent.type !== 'MethodDefinition' || fn.parent.key.type !== 'Identifier') return false;
    return fn.parent.parent.parent.implements.some((/** @type {any} */ { expression }) => {
      const promised = services.getTypeAtLocation(expression).getProperty(fn.parent.key.name);
      return promised !== undefined && isPromise(promised.declarations?.[0]);
    });
  };

  return { leaves, isForOthers };
}

/**
 * What the text of a file tells of the bounds of a call.
 * @param {any} sourceCode
 * @param {Options['wrappers']} wrappers
 * @param {{ privates: Map<string, any[]>, isForOthers: (fn: any) => boolean }} known `privates`: uses of private members
 */
function boundsIn(sourceCode, wrappers, { privates, isForOthers }) {
  /** @param {any} declaration @returns {any[]} */
  const usesOf = (declaration) =>
    sourceCode
      .getDeclaredVariables(declaration)
      .flatMap((/** @type {any} */ { references }) => references)
      .filter((/** @type {any} */ { init }) => !init)
      .map((/** @type {any} */ { identifier }) => identifier);

  /** @param {any} node @param {any} parent */
  const isWrapped = (node, parent) =>
    parent.type === 'CallExpression' && node !== parent.callee && wrappers.includes(nameOf(parent.callee));

  /** @param {any} at */
  const isHandedToWrapper = (at) =>
    at.type === 'VariableDeclarator' &&
    at.parent.kind === 'const' &&
    !FUNCTION.test(at.init?.type ?? '') &&
    usesOf(at).some((use) => isWrapped(use, use.parent));

  /** Where a function is used that only this file can use; none when others may. @param {any} fn */
  const callersOf = (fn) => {
    const { parent } = fn;
    if (MEMBER.test(parent.type) && parent.key.type === 'PrivateIdentifier')
      return (privates.get(parent.key.name) ?? []).filter((use) => use !== parent.key);
    const isNamed = fn.type === 'FunctionDeclaration';
    if (!isNamed && parent.type !== 'VariableDeclarator') return [];
    const declaration = isNamed ? fn : parent.parent;
    return /^Export/.test(declaration.parent.type) ? [] : usesOf(isNamed ? fn : parent);
  };

  /** @param {any} fn @param {Set<any>} seen */
  const areCallersBounded = (fn, seen) => {
    if (seen.has(fn)) return false;
    seen.add(fn);
    const uses = callersOf(fn);
    return uses.length > 0 && uses.every((use) => isBounded(use, seen));
  };

  /** @param {any} node @param {Set<any>} [seen] functions that have been looked at @returns {boolean} */
  const isBounded = (node, seen = new Set()) => {
    for (let child = node, at = node.parent; at; child = at, at = at.parent) {
      if (isWrapped(child, at) || isHandedToWrapper(at)) return true;
      if (FUNCTION.test(at.type) && (isForOthers(at) || areCallersBounded(at, seen))) return true;
    }
    return false;
  };

  return isBounded;
}

const strings = { type: 'array', items: { type: 'string' } };

export const deadline = /** @satisfies {Rule.RuleModule} */ ({
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: {
          /** Packages that leave the process, and interfaces of ours that stand in front of them. */
          ...{ packages: strings, interfaces: strings },
          /** Types that are connections, or hold them. */
          carriers: strings,
          /** Functions that give what is in their arguments a deadline. */
          wrappers: strings,
        },
      },
    ],
  },
  create(context) {
    const options = /** @type {Options} */ (context.options[0]);
    const { wrappers } = options;
    const services = ESLintUtils.getParserServices(/** @type {any} */ (context), true);
    // Without types nothing is known of a call.
    if (!services.program) return {};
    const { leaves, isForOthers } = typeQuestions(services, options);
    const privates = /** @type {Map<string, any[]>} */ (new Map());
    const calls = /** @type {any[]} */ ([]);

    return {
      PrivateIdentifier: (/** @type {any} */ node) => {
        privates.set(node.name, [...(privates.get(node.name) ?? []), node]);
      },
      CallExpression: (node) => {
        if (leaves(node)) calls.push(node);
      },
      'Program:exit'() {
        const isBounded = boundsIn(context.sourceCode, wrappers, { privates, isForOthers });
        for (const node of calls) {
          if (isBounded(node)) continue;
          const message = `This call leaves the process without a deadline: put it into ${wrappers.join(' or ')}, or give it a signal.`;
          context.report({ node, message });
        }
      },
    };
  },
});
