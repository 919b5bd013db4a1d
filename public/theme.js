// Applies the remembered theme before the first paint, unless the address names one, and lets the Theme
// button change it: as the system has it, light, dark.
(() => {
  const root = document.documentElement;
  const themes = ['auto', 'light', 'dark'];
  const remembered = () => {
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
  apply(root.dataset.theme ?? remembered());
  addEventListener('click', (event) => {
    const button = event.target.closest?.('#theme');
    if (!button) return;
    const next = themes[(themes.indexOf(remembered()) + 1) % themes.length];
    apply(next);
    button.title = `Theme: ${next}`;
    try {
      localStorage.setItem('cluster-overview-theme', next);
    } catch {
      // A browser that remembers nothing still changes its colours.
    }
  });
})();
