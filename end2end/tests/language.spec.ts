// Which language and theme does the page have, and which number format?

import { component, expect, openPage, quickTimers, server, test } from './cluster';

test.describe('a browser that prefers German', () => {
  test.use({ locale: 'de-AT' });

  test('gets the page in German, live, and no other language', async ({ cluster, page }) => {
    const sent: string[] = [];
    page.on('response', (answer) => sent.push(new URL(answer.url()).pathname.split('/').pop()!));
    await cluster.saveSettings(quickTimers);
    await cluster.keepSendingHeartbeats([{ server: 'app-2' }]);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await expect(page.getByTestId('connection')).toHaveText(/^(Live|Regelmäßige Abfrage).* · aktualisiert \d\d:\d\d:\d\d UTC$/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Alle 2 Server sind synchron');
    await expect(component(page, 'app-1', 'service')).toContainText('Verstummt', { timeout: 10_000 });
    await page.getByRole('link', { name: /^Lösung: / }).first().click();
    await expect(page.locator('[data-hint="service-stale"]')).toContainText('app-1');
    await expect(page.locator('body')).not.toContainText(/\b(the|silent|stale|overview has)\b/i);
    expect(sent.filter((name) => name.startsWith('messages-'))).toEqual(['messages-de.txt']);
  });

  test('gets dates in the format of its region, and English with ?lang=en', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await page.goto(`${cluster.url}audit`);
    const changed = page.locator('time').first();
    await expect(changed).toHaveText(/^\d{1,2}\. \S+ \d{4}, \d\d:\d\d:\d\d UTC$/);
    await page.goto(`${cluster.url}audit?lang=en`);
    await expect(changed).toHaveText(/^[A-Z][a-z]{2} \d{1,2}, \d{4}, \d\d:\d\d:\d\d UTC$/);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, `${cluster.url}?server=app-1&lang=en`);
    await page.getByRole('link', { name: 'Close' }).click();
    await expect(page, 'every link keeps the language').toHaveURL(/\?lang=en$/);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Load balancing').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('done')).toContainText('Settings saved.');
    await page.locator('#user').click();
    await page.getByRole('link', { name: 'Audit' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Audit');
    await page.getByRole('link', { name: 'Cluster Overview' }).click();
    await expect(page).toHaveURL(/\/\?lang=en$/);
  });
});

test.describe('a browser in New York', () => {
  test.use({ timezoneId: 'America/New_York' });

  test("times are written in the reader's time zone, and their titles in UTC", async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, `${cluster.url}?server=app-1`);
    const inNewYork = /\d\d:\d\d:\d\d E[SD]T$/;
    const inUtc = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ$/;
    for (const time of [page.getByTestId('connection'), page.getByRole('dialog').locator('small').first()]) {
      await expect(time).toHaveText(inNewYork);
      await expect(time).toHaveAttribute('title', inUtc);
    }
  });
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('a form returns the page in the language of its address', async ({ cluster, page }) => {
    await cluster.sendHeartbeat({ server: 'app-1' });
    await page.goto(`${cluster.url}?lang=de&configure=`);
    await page.getByLabel('Heartbeat-Intervall').fill('bald');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await expect(page.getByText('Geben Sie eine Dauer ein')).toBeVisible();
    await page.getByLabel('Heartbeat-Intervall').fill('20 s');
    await page.getByRole('button', { name: 'Speichern' }).click();
    await expect(page.getByTestId('done')).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    expect((await cluster.settings()).heartbeat_interval_s).toBe(20);
  });

  test('unknown languages and invalid values change nothing', async ({ cluster, page }) => {
    for (const query of ['?lang=fr', '?lang=%22%3E%3Cscript%3E', '?theme=%22onload%3D', '?chrome=full']) {
      await page.goto(`${cluster.url}${query}`);
      await expect(page.locator('html')).toHaveAttribute('lang', 'en');
      await expect(page.locator('html')).not.toHaveAttribute('data-theme');
      await expect(page.getByRole('navigation', { name: 'Breadcrumb' })).toBeVisible();
    }
  });
});

test('a query hides the chrome and sets the theme for a frame, and every link keeps them', async ({ cluster, page }) => {
  await cluster.sendHeartbeat({ server: 'app-1' });
  await openPage(page, `${cluster.url}?chrome=none&theme=dark&lang=de`);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByRole('navigation', { name: 'Pfad' })).toHaveCount(0);
  await expect(page.getByTestId('connection')).toContainText(/Live|Regelmäßige Abfrage/);
  await server(page, 'app-1').getByRole('link', { name: 'app-1' }).click();
  await expect(page).toHaveURL(/chrome=none/);
  await page.reload();
  await expect(page.getByRole('dialog', { name: 'app-1' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(page.getByRole('navigation', { name: 'Pfad' })).toHaveCount(0);
});

test("the host's language applies unless the query names one", async ({ cluster, page }) => {
  await cluster.endProcess('serve', 'SIGTERM');
  cluster.environment.CLUSTER_OVERVIEW_LANGUAGE = 'de';
  await cluster.start();
  await openPage(page, cluster.url);
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await page.goto(`${cluster.url}?lang=en`);
  await expect(page.locator('html')).toHaveAttribute('lang', 'en');
});
