// The page within a frame of a product's page. Tells the page around it how high it is, and when nobody is
// signed in, if that page is one of those that may frame it; and opens the panel where the reader is, for a
// frame that is as high as what it shows has no other place for it.
(() => {
  if (parent === window) return;
  const root = document.documentElement;
  const { ancestors, signedOut } = document.currentScript.dataset;
  const origin = (address) => (address ? new URL(address).origin : undefined);
  const around = location.ancestorOrigins?.[0] ?? origin(document.referrer);
  const named = ancestors.split(' ');
  // A browser without `ancestorOrigins` may not say who is around it, as after a redirect or a step within the
  // frame. It delivers a message only to the origin that it is for.
  const unknown = !around || around === location.origin;
  const listeners = unknown ? named : named.filter((one) => one === around);
  const tell = (message) => listeners.forEach((one) => parent.postMessage(message, one));

  // A browser that refuses cookies of other sites keeps no session in a frame: every code would be followed by the
  // next. How often one was asked for is kept in the frame's name, which such a browser keeps.
  const MARK = '#cluster-overview-trials=';
  const WAITS_MS = [0, 10_500, 30_000];
  const REVEAL_MS = 3_000;
  const [own, known] = name.split(MARK);
  let trials = Number(known ?? 0);
  const askToBeLetIn = () => {
    const notice = document.getElementById('blocked-in-frame');
    const reveal = () => { if (notice) notice.hidden = false; };
    if (trials > 0) reveal();
    else setTimeout(reveal, REVEAL_MS);
    const ask = () => {
      if (trials >= WAITS_MS.length) return;
      setTimeout(() => {
        trials += 1;
        name = own + MARK + trials;
        tell({ type: 'cluster-overview:signed-out' });
        ask();
      }, WAITS_MS[trials]);
    };
    ask();
    // The tag lets people in by a code in a window, too.
    if (own === 'cluster-overview-tag') {
      notice?.querySelector('a').addEventListener('click', (event) => {
        event.preventDefault();
        tell({ type: 'cluster-overview:open' });
      });
    }
  };

  const measureFromNowOn = () => {
    let said = 0;
    const measure = () => {
      const bottom = (element) => (element ? element.getBoundingClientRect().bottom + scrollY : 0);
      const height = Math.ceil(Math.max(bottom(document.body), bottom(document.querySelector('.panel'))));
      if (height === said) return;
      said = height;
      tell({ type: 'cluster-overview:height', height });
    };
    if (!window.ResizeObserver) {
      setInterval(measure, 1_000);
      return;
    }
    const sizes = new ResizeObserver(measure);
    const watch = () => {
      sizes.disconnect();
      for (const element of [document.body, document.querySelector('.panel')]) if (element) sizes.observe(element);
    };
    new MutationObserver(watch).observe(document.querySelector('.page') ?? document.body, { childList: true });
    watch();
  };

  addEventListener('click', ({ target }) => {
    if (!target.closest || target.closest('.panel')) return;
    const top = Math.max(0, target.getBoundingClientRect().top + scrollY - 80);
    root.style.setProperty('--panel-top', `${Math.round(top)}px`);
  }, true);

  const begin = () => {
    if (signedOut !== undefined) askToBeLetIn();
    else if (known) name = own;
    measureFromNowOn();
  };
  // It may come late, when it was asked for again.
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', begin);
  else begin();
})();
