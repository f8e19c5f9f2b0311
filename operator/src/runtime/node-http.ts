/**
 * Node's HTTP. An `import` of `node:http` would look at all that it exports, `WebSocket` too, and so load Node's `fetch`, which is some
 * 4 MiB of memory that nobody here needs. Types may be imported: they are gone when it runs.
 */
export const http = process.getBuiltinModule('node:http');
