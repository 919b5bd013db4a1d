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
  // After a step within the frame a browser without `ancestorOrigins` cannot say who is around it.
  const listeners = around === location.origin ? named : named.filter((one) => one === around);
  const tell = (message) => listeners.forEach((one) => parent.postMessage(message, one));

  addEventListener('click', ({ target }) => {
    if (target.closest('.panel')) return;
    const top = Math.max(0, target.getBoundingClientRect().top + scrollY - 80);
    root.style.setProperty('--opened-at', `${Math.round(top)}px`);
  }, true);

  addEventListener('DOMContentLoaded', () => {
    if (signedOut !== undefined) tell({ type: 'cluster-overview:signed-out' });
    let said = 0;
    const measure = () => {
      const bottom = (element) => (element ? element.getBoundingClientRect().bottom + scrollY : 0);
      const height = Math.ceil(Math.max(bottom(document.body), bottom(document.querySelector('.panel'))));
      if (height === said) return;
      said = height;
      tell({ type: 'cluster-overview:height', height });
    };
    const sizes = new ResizeObserver(measure);
    const watch = () => {
      sizes.disconnect();
      for (const element of [document.body, document.querySelector('.panel')]) if (element) sizes.observe(element);
    };
    new MutationObserver(watch).observe(document.querySelector('.page') ?? document.body, { childList: true });
    watch();
  });
})();
