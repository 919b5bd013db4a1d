// A product in Node, for the examples: it has a sign-in and an admin menu, and one route fetches codes from
// the overview for the user who is signed in. That route is all that a product's back end has to do.
//
//   OVERVIEW=http://localhost:3000/ TOKEN_FILE=product.token node product.mjs FOLDER-OF-PAGES
//
// Every page of the folder is an entry of the menu. LISTEN says where it listens: 127.0.0.1:8080.

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const { OVERVIEW = 'http://localhost:3000/', TOKEN_FILE = 'product.token', LISTEN = '127.0.0.1:8080' } = process.env;
const folder = process.argv[2];
const token = readFileSync(TOKEN_FILE, 'utf8').trim();
const overview = OVERVIEW.replace(/\/*$/, '/');
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' };

/** Who is signed in, by the secret in their cookie. A real product asks for passwords. */
const sessions = new Map();

/** How long the overview may take: nobody waits longer for it on a page of the product. */
const OVERVIEW_TIMEOUT_MS = 5_000;

/** Asks the overview; the status of its answer, and the whole body. */
async function ask(method, path, body) {
  try {
    const answer = await fetch(new URL(path, overview), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(OVERVIEW_TIMEOUT_MS),
    });
    return { status: answer.status, ok: answer.ok, body: await answer.text() };
  } catch (error) {
    const why = error.name === 'TimeoutError'
      ? `did not answer within ${OVERVIEW_TIMEOUT_MS / 1000} s`
      : `cannot be reached: ${error.cause?.message ?? error.message}`;
    throw new Error(`the overview at ${overview} ${why}`);
  }
}

/** A code for this person, who is an admin here or is not. */
async function code(session) {
  const answer = await ask('POST', 'api/v1/embeds', { name: session.name, role: session.admin ? 'admin' : 'viewer' });
  if (!answer.ok) throw new Error(`the overview answered ${answer.status}: ${answer.body}`);
  const { id, code } = JSON.parse(answer.body);
  session.visits.push(id);
  return code;
}

/** A sign-out here ends the session there too. A session that cannot be ended now ends after 12 h. */
async function end(session) {
  const ended = await Promise.allSettled(session.visits.map((id) => ask('DELETE', `api/v1/embeds/${id}`)));
  for (const { reason } of ended) if (reason) console.error(`A visit was not ended: ${reason.message}`);
}

const page = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Product</title>
  <link rel="icon" href="data:,"><style>body { font: 15px sans-serif; margin: 0 auto; max-width: 1280px }</style>
  ${body}`;

const pages = readdirSync(folder).filter((name) => name.endsWith('.html'));
const menu = `<nav aria-label="Admin">${pages.map((name) => `<a href="/${name}">${
  name === 'cluster.html' ? 'Cluster Overview' : `Cluster Overview (${name.replace('.html', '')})`
}</a>`).join(' ')}</nav><form method="post" action="/sign-out"><button>Sign out</button></form>`;
const signIn = `<form method="post" action="/sign-in"><label>Name <input name="name"></label>
  <button>Sign in</button></form>`;

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://product');
  const secret = /(?:^|; )product-session=(\w+)/.exec(request.headers.cookie ?? '')?.[1];
  const session = sessions.get(secret);
  const leads = (cookie) => [303, { location: '/', 'set-cookie': `${cookie}; Path=/; HttpOnly; SameSite=Lax` }];
  switch (`${request.method} ${pathname}`) {
    case 'GET /':
      return [200, { 'content-type': TYPES['.html'] }, page(session ? menu : signIn)];
    case 'POST /sign-in': {
      let sent = '';
      for await (const chunk of request) sent += chunk;
      const name = new URLSearchParams(sent).get('name') || 'nobody';
      const begun = randomBytes(32).toString('hex');
      sessions.set(begun, { name, admin: name === 'ann', visits: [] });
      return leads(`product-session=${begun}`);
    }
    case 'POST /sign-out':
      sessions.delete(secret);
      if (session) await end(session);
      return leads('product-session=; Max-Age=0');
    case 'POST /cluster-overview-code':
      if (!session) return [401, {}, 'sign in first'];
      return [200, { 'content-type': 'application/json', 'cache-control': 'no-store' }, JSON.stringify({ code: await code(session) })];
    default: {
      if (!session) return [303, { location: '/' }];
      const path = normalize(decodeURIComponent(pathname));
      const type = TYPES[extname(path)];
      if (!type) return [404, {}, 'there is nothing here'];
      const file = readFileSync(join(folder, path), 'utf8');
      const here = type === TYPES['.html'] ? page(menu + file).replaceAll('{{overview}}', overview) : file;
      return [200, { 'content-type': type }, here];
    }
  }
}

const [host, port] = LISTEN.split(':');
const server = createServer((request, response) => {
  answer(request)
    .catch((error) => [error.code === 'ENOENT' ? 404 : 502, {}, error.message])
    .then(([status, headers, body]) => response.writeHead(status, headers).end(body));
}).listen(Number(port), host, () => console.log(`A product at http://${host}:${server.address().port}/`));
process.once('SIGTERM', () => process.exit(0));
