// The page in a frame of a product's page. Tells the parent page how high it is, and when nobody is signed in, if
// the parent's origin may frame it. Also stores where the user clicked: the frame is as high as the page, so the
// panel opens there.
(() => {
  if (parent === window) return;
  const root = document.documentElement;
  const { ancestors, signedOut } = document.currentScript.dataset;
  const originOf = (address) => (address ? new URL(address).origin : undefined);
  const parentOrigin = location.ancestorOrigins?.[0] ?? originOf(document.referrer);
  const allowed = ancestors.split(' ');
  // A browser without `ancestorOrigins` may not name the parent, for example after a redirect. Then the message goes
  // to every allowed origin; the browser delivers it only to the right one.
  const isUnknown = !parentOrigin || parentOrigin === location.origin;
  const targets = isUnknown ? allowed : allowed.filter((origin) => origin === parentOrigin);
  const post = (message) => targets.forEach((origin) => parent.postMessage(message, origin));

  // A browser that blocks third-party cookies keeps no session in a frame, so every code would be followed by the
  // next. The number of requests is stored in the frame's name, which such a browser keeps.
  const COUNTER = '#cluster-overview-requests=';
  const DELAYS_MS = [0, 10_500, 30_000];
  const NOTICE_DELAY_MS = 3_000;
  const [frameName, stored] = name.split(COUNTER);
  let requests = Number(stored ?? 0);
  const requestSignIn = () => {
    const notice = document.getElementById('blocked-in-frame');
    const showNotice = () => { if (notice) notice.hidden = false; };
    if (requests > 0) showNotice();
    else setTimeout(showNotice, NOTICE_DELAY_MS);
    const request = () => {
      if (requests >= DELAYS_MS.length) return;
      setTimeout(() => {
        requests += 1;
        name = frameName + COUNTER + requests;
        post({ type: 'cluster-overview:signed-out' });
        request();
      }, DELAYS_MS[requests]);
    };
    request();
    // The tag can also sign the user in, with a code, in a window.
    if (frameName === 'cluster-overview-tag') {
      notice?.querySelector('a').addEventListener('click', (event) => {
        event.preventDefault();
        post({ type: 'cluster-overview:open' });
      });
    }
  };

  const reportHeight = () => {
    let reported = 0;
    const measure = () => {
      const bottom = (element) => (element ? element.getBoundingClientRect().bottom + scrollY : 0);
      const height = Math.ceil(Math.max(bottom(document.body), bottom(document.querySelector('.panel'))));
      if (height === reported) return;
      reported = height;
      post({ type: 'cluster-overview:height', height });
    };
    if (!window.ResizeObserver) {
      setInterval(measure, 1_000);
      return;
    }
    const observer = new ResizeObserver(measure);
    const observeAll = () => {
      observer.disconnect();
      for (const element of [document.body, document.querySelector('.panel')]) if (element) observer.observe(element);
    };
    // The panel comes and goes in a part of the page.
    const appearing = new MutationObserver(observeAll);
    for (const part of document.querySelectorAll('.page, .page > .part')) appearing.observe(part, { childList: true });
    observeAll();
  };

  addEventListener('click', ({ target }) => {
    if (!target.closest || target.closest('.panel')) return;
    const top = Math.max(0, target.getBoundingClientRect().top + scrollY - 80);
    root.style.setProperty('--panel-top', `${Math.round(top)}px`);
  }, true);

  const start = () => {
    if (signedOut !== undefined) requestSignIn();
    else if (stored) name = frameName;
    reportHeight();
  };
  // The watchdog may have requested this file again, so it can run late.
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', start);
  else start();
})();
