// What the header of every page needs, without the page's own script. Applies the stored theme before the first paint,
// unless the query names one; the theme button switches between the system's theme, light and dark. Closes the menu on
// Escape and on a click elsewhere.
(() => {
  const root = document.documentElement;
  const themes = ['auto', 'light', 'dark'];
  const stored = () => {
    try {
      return localStorage.getItem('cluster-overview-theme') ?? 'auto';
    } catch {
      return root.dataset.theme ?? 'auto';
    }
  };
  const apply = (theme) => {
    if (theme === 'auto') delete root.dataset.theme;
    else root.dataset.theme = theme;
  };
  apply(root.dataset.theme ?? stored());
  addEventListener('click', (event) => {
    const button = event.target.closest?.('#theme');
    if (!button) return;
    const next = themes[(themes.indexOf(stored()) + 1) % themes.length];
    apply(next);
    button.title = `Theme: ${next}`;
    try {
      localStorage.setItem('cluster-overview-theme', next);
    } catch {
      // Without storage the theme still changes, until the next page.
    }
  });
  addEventListener('click', (event) => {
    for (const menu of document.querySelectorAll('.menu[open]')) menu.open = menu.contains(event.target);
  });
  addEventListener('keydown', (event) => {
    const menu = document.querySelector('.menu[open]');
    if (event.key !== 'Escape' || !menu) return;
    // Escape closes one thing at a time.
    event.preventDefault();
    menu.open = false;
    menu.querySelector('summary').focus();
  }, true);
})();
