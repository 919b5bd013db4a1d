// The least that a page in plain JavaScript does to show the same list over the same API: what the browser itself costs.
// `bench-page.mjs` runs it inside a page of the overview's origin and measures it as it measures the page.

/** Shows the first servers that a search finds, and changes only the texts that differ. */
export function twin() {
  const NEAR = 60;
  const rows = [];
  let etag;
  let overview = { servers: [] };

  const element = (parent, name, className) => {
    const child = document.createElement(name);
    child.className = className;
    return parent.appendChild(child);
  };
  document.body.textContent = '';
  const search = element(document.body, 'input', 'search');
  search.id = 'search';
  const table = element(document.body, 'div', 'table');

  const texts = (server) => {
    const [first] = server.components;
    const components = server.components.map(({ role, pulse }) => `${role} ${pulse}`).join(' ');
    const problems = server.components.filter(({ health }) => health !== 'ok').map(({ why }) => why);
    return [server.name, components, first.version, `${first.key_in_sync}`, `${server.ip} · ${server.os.name}`, problems.join(' ')];
  };

  const draw = () => {
    const wanted = search.value.toLowerCase();
    const rank = { error: 0, warning: 1, unknown: 2, ok: 3 };
    const found = overview.servers.filter(({ name, ip }) => name.toLowerCase().includes(wanted) || ip.includes(wanted));
    found.sort((a, b) => rank[a.health] - rank[b.health]);
    const shown = found.slice(0, NEAR);
    while (rows.length > shown.length) rows.pop().row.remove();
    while (rows.length < shown.length) {
      const row = element(table, 'div', 'server');
      const cells = Array.from({ length: 6 }, () => element(row, 'div', 'cell').appendChild(new Text()));
      rows.push({ row, cells });
    }
    shown.forEach((server, place) => {
      const { row, cells } = rows[place];
      if (row.dataset.server !== server.name) row.dataset.server = server.name;
      texts(server).forEach((text, cell) => {
        if (cells[cell].data !== text) cells[cell].data = text;
      });
    });
  };

  // By events, not by promises, whose work the browser does not count as that of a script.
  globalThis.poll = () =>
    new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open('GET', '/api/v1/overview');
      if (etag) request.setRequestHeader('if-none-match', etag);
      request.addEventListener('load', () => {
        if (request.status === 200) {
          etag = request.getResponseHeader('etag');
          overview = JSON.parse(request.responseText);
          draw();
        }
        resolve();
      });
      request.send();
    });
  search.addEventListener('input', draw);
  return globalThis.poll();
}
