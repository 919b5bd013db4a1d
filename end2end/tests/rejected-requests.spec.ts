// The overview that answers, and refuses: the page says so, and what it said; silence is something else.

import { Page, Route } from '@playwright/test';
import { expect, line, open, quick, server, test } from './cluster';
import { guarded } from './sign-in';

const detail = "this change was not sent by the overview's own page: Origin is http://a.example, the overview's address is http://b.example";

/** Refuses what the page asks of a function, as the overview does. */
const refuse = (page: Page, name: string, answer: Parameters<Route['fulfill']>[0]) =>
  page.route(`**/fn/${name}`, (route) => route.fulfill(answer));

const problem = (status: number, title: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title, status, detail }),
});

test.use({ forgiven: /status of (4|5)/ });

test.describe('where the page can only ask', () => {
  test.use({ deaf: true });

  for (const [status, title] of [[403, 'Forbidden'], [400, 'Bad Request'], [429, 'Too Many Requests']] as [number, string][]) {
    test(`a poll that is answered ${status} is a refusal, and the reason is shown`, async ({ cluster, page }) => {
      await cluster.configure(quick);
      await cluster.keepBeating([{ server: 'app-1' }]);
      await open(page, cluster.url);
      await refuse(page, 'overview', problem(status, title));
      await expect(page.getByTestId('connection')).toContainText(`The overview rejects this page's requests: ${detail}`);
      await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 25_000 });
      const hint = page.locator('[data-hint="cut-off"]');
      await expect(hint).toContainText("The overview rejects this page's requests");
      await expect(hint).toContainText(detail);
      await expect(hint).not.toContainText('still runs');
      await page.unroute('**/fn/overview');
      await expect(page.getByTestId('connection')).toContainText('Polling', { timeout: 15_000 });
      await expect(line(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
    });
  }

  test('an answer of something else is not taken for the overview', async ({ cluster, page }) => {
    await cluster.configure(quick);
    await open(page, cluster.url);
    await refuse(page, 'overview', { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' });
    await expect(page.getByTestId('connection')).toContainText('A proxy answers in place of the overview');
  });
});

test.describe('where the page can listen', () => {
  test.use({ deaf: false });

  test('a page whose questions are refused listens again, and is live', async ({ cluster, page }) => {
    await cluster.configure(quick);
    await cluster.beat({ server: 'app-1' });
    await open(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await refuse(page, 'overview', problem(403, 'Forbidden'));
    // Whoever comes back asks at once.
    const answer = page.waitForResponse('**/fn/overview');
    const listening = page.waitForRequest('**/api/v1/stream*');
    await page.evaluate(() => dispatchEvent(new Event('visibilitychange')));
    expect((await answer).status()).toBe(403);
    await listening;
    await expect(page.getByTestId('connection')).toContainText('Live');
    await cluster.beat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 2_000 });
  });
});

test('an action that is refused says why in its form, and nothing is lost', async ({ cluster, page }) => {
  await open(page, `${cluster.url}?configure`);
  await refuse(page, 'act', problem(403, 'Forbidden'));
  await page.getByLabel('Stale timeout').fill('7 min');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('effects')).toContainText(`Nothing was changed: the overview rejected the request. ${detail}.`);
  await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
});

test('no address makes the page say what a server did not', async ({ cluster, page }) => {
  await open(page, `${cluster.url}?configure&refused=refused&said=Call+555&detail=Call+555`);
  await expect(page.getByText('Call 555')).toHaveCount(0);
});

test.describe('a session that was ended elsewhere', () => {
  test.use({ auth: 'password' });

  test('does not empty the form that is open: the page says so, and leads to where one signs in', async ({ cluster, page }) => {
    await guarded(cluster, page);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('7 min');
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(cluster.url);
    await elsewhere.locator('summary#user').click();
    await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.bringToFront();
    await expect(page.getByTestId('connection')).toContainText('You have been signed out', { timeout: 20_000 });
    await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
    await page.locator('#connection-status').getByRole('link', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/sign-in/);
  });
});
