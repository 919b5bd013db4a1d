// What does a screen reader find on the page?

import { Cluster, expect, openPage, test } from './cluster';

/** Two healthy servers, one with a wrong key, one outdated, one stopped, and a web component with a machine key. */
const reportProblems = async (cluster: Cluster) => {
  await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'app-2', role: 'web', machineKey: 'm' }]);
  await cluster.sendHeartbeats([{ server: 'bad-1', key: 'another key' }, { server: 'old-1', version: '2026.1.9', key: null }]);
  await cluster.sendHeartbeats([{ server: 'off-1' }, { server: 'off-1', leaving: true }]);
};

test.describe('a screen reader finds', () => {
  test('a table with a row group for each server: a row for the server, and one for each problem', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, `${cluster.url}?sort=name`);
    await expect(page.getByRole('columnheader', { name: 'Server' })).toHaveAttribute('aria-sort', 'ascending');
    await expect(page.getByRole('table', { name: 'Servers' })).toMatchAriaSnapshot(`
      - table "Servers":
        - rowgroup:
          - row "Server Heartbeat Version Encryption key System":
            - columnheader "Server":
              - link "Server":
                - /url: "?sort=-name"
            - columnheader "Heartbeat":
              - link "Heartbeat"
            - columnheader "Version":
              - link "Version"
            - columnheader "Encryption key"
            - columnheader "System"
        - rowgroup:
          - row:
            - rowheader:
              - img "OK"
              - link "app-1":
                - /url: "?sort=name&server=app-1"
            - cell /^Alive Service · /
            - cell /2026.2.1/
            - cell "In sync"
            - cell "10.0.0.11 · Debian GNU/Linux 12 · ProGet"
        - rowgroup:
          - row:
            - rowheader /app-2/
            - cell /^Alive Web · .* Alive Service · /
            - cell /2026.2.1/
            - cell "In sync Machine key in sync"
            - cell /ProGet/
        - rowgroup:
          - row:
            - rowheader:
              - img "Error"
              - link "bad-1"
            - cell /^Alive Service · /
            - cell /2026.2.1/
            - cell "Decryption failure"
            - cell /ProGet/
          - row:
            - cell:
              - text: Service Decryption failure
              - 'link "how to fix: bad-1 uses a different encryption key"':
                - /url: "#hint-key-mismatch-bad-1"
        - rowgroup:
          - row:
            - rowheader:
              - img "OK"
              - link "off-1"
            - cell /^Service Stopped · /
            - cell "2026.2.1"
            - cell "In sync"
            - cell /ProGet/
          - row:
            - cell /^Service Stopped · Stopped cleanly at [0-9:]+ UTC/
        - rowgroup:
          - row:
            - rowheader:
              - img "Warning"
              - link "old-1"
            - cell /^Alive Service · /
            - cell "older 2026.1.9"
            - cell "No key reported"
            - cell /ProGet/
          - row:
            - cell:
              - text: Service 2026.1.9, older
              - 'link "how to fix: Servers run different versions"':
                - /url: "#hint-version-skew"
          - row:
            - cell:
              - text: Service No key reported
              - 'link "how to fix: old-1 reports no encryption key"'
    `);
  });

  test('the hints, each with severity, heading, evidence, numbered steps, what to avoid, and links', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, cluster.url);
    await expect(page.getByRole('region', { name: /^Troubleshooting/ })).toMatchAriaSnapshot(`
      - region "Troubleshooting 3 hints":
        - heading "Troubleshooting 3 hints" [level=2]
        - article:
          - img "Error"
          - group:
            - heading "bad-1 uses a different encryption key" [level=3]
            - paragraph: /Servers with different keys cannot decrypt each other's data/
            - list:
              - listitem: /^On bad-1, compare the encryption key/
              - listitem: /^Check for overrides/
              - listitem: /restart the product on bad-1/
              - listitem: /accept it instead/
            - paragraph: /Do not let a container platform restart bad-1/
            - paragraph:
              - link "Show bad-1":
                - /url: "#server-bad-1"
              - link /^Accept key [0-9a-f]{8}$/
        - article:
          - img "Warning"
          - group:
            - heading "old-1 reports no encryption key" [level=3]
            - paragraph
            - list
            - paragraph:
              - link "Show old-1"
        - article:
          - img "Warning"
          - group:
            - heading "Servers run different versions" [level=3]
            - paragraph: /Older. old-1/
            - list
            - paragraph: /Do not let a container platform restart servers/
    `);
  });

  test('the settings form, each field with its label, error and help', async ({ cluster, page }) => {
    await reportProblems(cluster);
    await openPage(page, `${cluster.url}?configure`);
    await page.getByLabel('Stale timeout').fill('1 s');
    await page.getByLabel('Heartbeat interval').fill('10 s');
    const form = page.getByRole('form');
    await expect(form).toMatchAriaSnapshot(`
      - form "Edit settings":
        - checkbox "Load balancing"
        - checkbox "Automatic failover"
        - textbox "Stale timeout" [invalid]: 1 s
        - textbox "Heartbeat interval": 10 s
        - textbox "Web window": 24 h
        - button "Save"
        - link "Cancel"
    `);
    await expect(form.getByLabel('Stale timeout')).toHaveAccessibleDescription(/^Enter 2 s to .*, not 1 s\. Time without a heartbeat after which a service is stale/);
    await expect(form.getByLabel('Web window')).toHaveAccessibleDescription(/^Time without a request after which a web component is stale/);
    await form.getByLabel('Stale timeout').fill('20 s');
    await expect(form.getByLabel('Heartbeat interval')).toHaveAccessibleDescription(/^Below 30 s, a short network problem looks like an outage\./);
  });
});

for (const scripts of [true, false]) {
  test.describe(scripts ? 'in the order of the document' : 'without scripts, in the same order', () => {
    test.use({ javaScriptEnabled: scripts });

    test('a screen reader finds the verdict, the configuration, the hints and the servers', async ({ cluster, page }) => {
      await cluster.sendHeartbeats([{ server: 'app-1' }, { server: 'app-2' }, { server: 'bad-1', key: 'another key' }]);
      await openPage(page, cluster.url, scripts);
      await expect(page.locator('body')).toMatchAriaSnapshot(`
        - link "Skip to the servers"
        - link "Skip to troubleshooting"
        - banner:
          - navigation "Breadcrumb": AdminCluster Overview
        - main:
          - region "1 of 3 servers needs attention":
            - img "Error"
            - heading "1 of 3 servers needs attention" [level=1]
            - paragraph:
              - link "bad-1 uses a different encryption key"
          - region "Cluster configuration":
            - term: Servers in cluster
            - definition: 3 · 0 web, 3 service
            - link "Edit settings"
          - region "Troubleshooting 1 hint":
            - heading "Troubleshooting 1 hint" [level=2]
            - article:
              - img "Error"
              - group:
                - heading "bad-1 uses a different encryption key" [level=3]
          - region "Servers":
            - heading "Servers" [level=2]
            - navigation "Filter by status"
            - search:
              - searchbox "Search name, address, version"
            - table "Servers"
      `);
    });
  });
}
