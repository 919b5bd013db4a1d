// Does the page show why the overview rejects a request?

import { Page, Route } from '@playwright/test';
import { type Cluster, component, expect, openPage, password, quickTimers, server, test } from './cluster';
import { lapseSessions, signInFirstAdmin } from './sign-in';

const detail = "this change was not sent by the overview's own page: Origin is http://a.example, the overview's address is http://b.example";

/** Answers the page's calls of a server function. */
const answerCall = (page: Page, name: string, answer: Parameters<Route['fulfill']>[0]) =>
  page.route(`**/fn/${name}`, (route) => route.fulfill(answer));

const problem = (status: number, title: string) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title, status, detail }),
});

test.use({ allowedOnConsole: /status of (4|5)/ });

test.describe('without the event stream', () => {
  test.use({ pollingOnly: true });

  for (const [status, title] of [[403, 'Forbidden'], [400, 'Bad Request'], [429, 'Too Many Requests']] as [number, string][]) {
    test(`a poll that is answered with ${status} is shown as rejected, with the reason`, async ({ cluster, page }) => {
      await cluster.saveSettings(quickTimers);
      await cluster.keepSendingHeartbeats([{ server: 'app-1' }]);
      await openPage(page, cluster.url);
      await answerCall(page, 'overview', problem(status, title));
      await expect(page.getByTestId('connection')).toContainText(`The overview rejects this page's requests: ${detail}`);
      await expect(page.getByTestId('verdict')).toContainText('No connection to the overview', { timeout: 25_000 });
      const hint = page.locator('[data-hint="cut-off"]');
      await expect(hint).toContainText("The overview rejects this page's requests");
      await expect(hint).toContainText(detail);
      await expect(hint).not.toContainText('still runs');
      await page.unroute('**/fn/overview');
      await expect(page.getByTestId('connection')).toContainText('Polling', { timeout: 15_000 });
      await expect(component(page, 'app-1', 'service')).toHaveAttribute('data-pulse', 'alive');
    });
  }

  test('an answer of a proxy is not taken for one of the overview', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await openPage(page, cluster.url);
    await answerCall(page, 'overview', { status: 502, contentType: 'text/html', body: '<h1>Bad Gateway</h1>' });
    await expect(page.getByTestId('connection')).toContainText('A proxy answers in place of the overview');
  });
});

test.describe('with the event stream', () => {
  test.use({ pollingOnly: false });

  test('a page whose polls are rejected opens the stream again, and is live', async ({ cluster, page }) => {
    await cluster.saveSettings(quickTimers);
    await cluster.sendHeartbeat({ server: 'app-1' });
    await openPage(page, cluster.url);
    await expect(page.getByTestId('connection')).toContainText('Live');
    await answerCall(page, 'overview', problem(403, 'Forbidden'));
    // A page that becomes visible polls at once.
    const answer = page.waitForResponse('**/fn/overview');
    const stream = page.waitForRequest('**/api/v1/stream*');
    await page.evaluate(() => dispatchEvent(new Event('visibilitychange')));
    expect((await answer).status()).toBe(403);
    await stream;
    await expect(page.getByTestId('connection')).toContainText('Live');
    await cluster.sendHeartbeat({ server: 'app-2' });
    await expect(server(page, 'app-2')).toHaveCount(1, { timeout: 2_000 });
  });
});

test('a rejected command shows the reason in its form, and the form keeps its values', async ({ cluster, page }) => {
  await openPage(page, `${cluster.url}?configure`);
  await answerCall(page, 'act', problem(403, 'Forbidden'));
  await page.getByLabel('Stale timeout').fill('7 min');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByTestId('effects')).toContainText(`Nothing was changed: the overview rejected the request. ${detail}.`);
  await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
});

test('no link can make the page show a message', async ({ cluster, page }) => {
  await openPage(page, `${cluster.url}?configure&refused=refused&said=Call+555&detail=Call+555`);
  await expect(page.getByText('Call 555')).toHaveCount(0);
});

async function signOutElsewhere(cluster: Cluster, page: Page) {
  const elsewhere = await page.context().newPage();
  await elsewhere.goto(cluster.url);
  await elsewhere.locator('summary#user').click();
  await elsewhere.getByRole('button', { name: 'Sign out everywhere' }).click();
  await page.bringToFront();
}

/** The form is shown and has the focus. */
async function enterPassword(page: Page) {
  const again = page.locator('#sign-in-again');
  await expect(again.getByLabel('Password')).toBeFocused();
  await again.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
  await expect(again).toBeHidden();
}

test.describe('a session that has changed nothing for 30 min', () => {
  test.use({ auth: 'password', allowedOnConsole: /401/ });

  test('asks for the password when a setting is saved, saves it then, and leaves the focus', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('7 min');
    await lapseSessions(cluster, page);
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('effects')).toContainText('Nothing was changed yet');
    await enterPassword(page);
    await expect(page.getByTestId('done')).toBeVisible();
    await expect(page.locator('.summary')).toContainText('stale after 7 min');
    await expect(page.locator('body')).not.toBeFocused();
  });

  test('asks for the password before a token is made, and makes it then', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.goto(`${cluster.url}access`);
    await page.getByLabel('Name').first().fill('build machines');
    await lapseSessions(cluster, page);
    await page.getByRole('button', { name: 'Create token' }).click();
    await enterPassword(page);
    await expect(page.getByRole('main')).toContainText('build machines');
  });
});

test.describe('a session that another page ended', () => {
  test.use({ auth: 'password' });

  test('is asked for in place, and what was typed is saved', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('7 min');
    await signOutElsewhere(cluster, page);
    const again = page.locator('#sign-in-again');
    await expect(again).toContainText('You have been signed out, or have changed nothing for 30 min. Enter the password of Ann', { timeout: 20_000 });
    await again.getByLabel('Password').fill('not the password');
    await again.getByRole('button', { name: 'Sign in' }).click();
    await expect(again.getByRole('alert')).toHaveText('Incorrect name or password.');
    await again.getByLabel('Password').fill(password);
    await again.getByRole('button', { name: 'Sign in' }).click();
    await expect(again).toBeHidden();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByTestId('done')).toBeVisible();
    await expect(page.locator('.summary')).toContainText('stale after 7 min');
  });

  test('is asked for in place on the page of tokens, and the token is made', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.goto(`${cluster.url}access`);
    await page.getByLabel('Name').first().fill('build machines');
    await signOutElsewhere(cluster, page);
    await page.getByRole('button', { name: 'Create token' }).click();
    const again = page.locator('#sign-in-again');
    await again.getByLabel('Password').fill(password);
    await again.getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByRole('main')).toContainText('build machines');
    await expect(again).toBeHidden();
  });

  test('is asked for again by a form that was sent from the same document before', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.goto(`${cluster.url}access`);
    await page.getByLabel('Name').first().fill('build machines');
    // The answer leaves the document as it is, like a step back to it.
    await page.route('**/access/tokens', (route) => route.fulfill({ status: 204 }));
    const answered = page.waitForResponse('**/access/tokens');
    await page.getByRole('button', { name: 'Create token' }).click();
    await answered;
    await page.unroute('**/access/tokens');
    await signOutElsewhere(cluster, page);
    await page.getByRole('button', { name: 'Create token' }).click();
    await enterPassword(page);
    await expect(page.getByRole('main')).toContainText('build machines');
  });

  test('that ended before Save is asked for at once, and the password saves', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('7 min');
    await page.locator('#pause').click();
    await signOutElsewhere(cluster, page);
    await page.getByRole('button', { name: 'Save' }).click();
    await enterPassword(page);
    await expect(page.locator('.summary')).toContainText('stale after 7 min');
  });

  test('does not empty an open form: the page says so, and links to the sign-in page', async ({ cluster, page }) => {
    await signInFirstAdmin(cluster, page);
    await page.getByRole('link', { name: 'Edit settings' }).click();
    await page.getByLabel('Stale timeout').fill('7 min');
    await signOutElsewhere(cluster, page);
    await expect(page.getByTestId('connection')).toContainText('You have been signed out', { timeout: 20_000 });
    await expect(page.getByLabel('Stale timeout')).toHaveValue('7 min');
    await page.locator('#connection-status').getByRole('link', { name: 'Sign in' }).click();
    await expect(page).toHaveURL(/\/sign-in/);
  });
});
