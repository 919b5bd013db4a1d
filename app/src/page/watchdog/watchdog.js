// Notices when the page's wasm did not start, has stopped, or updates text that is no longer in the document. Then it
// shows a notice in the header and reloads the page. It is an inline script in old syntax, so that it also runs where
// no other file of the page arrives or runs.
(function () {
  var MAX_MISSED_SIGNS = 8, MAX_ATTEMPTS = 14, RELOAD_MS = 30000, MIN_NOTICE_MS = 10000;
  var root = document.documentElement;
  var script = document.currentScript;
  var assets = script.getAttribute('data-assets') + '/';
  var missed = 0, replaced = 0, started = false, failed = false, shown = '', shownAt = 0;

  function each(list, act) {
    for (var i = 0; i < list.length; i += 1) act(list[i]);
  }

  function collapseSpaces(text) {
    return text.replace(/\s+/g, ' ').trim();
  }

  // The page writes these texts twice, once where a translator cannot replace them. If they differ, something
  // replaced the text.
  function isTextReplaced() {
    var headline = document.getElementById('verdict');
    var state = document.querySelector('#connection-status [data-time]');
    return !!document.querySelector('#app font, #connection-status font')
      || (headline && collapseSpaces(document.title).indexOf(collapseSpaces(headline.textContent)) < 0)
      || (state && state.textContent.indexOf(state.getAttribute('data-time')) < 0);
  }

  function isFormOpen() {
    return !!document.querySelector('#confirm, #load_balancing');
  }

  function show(reason) {
    var notice = document.getElementById('not-live');
    if (!notice) return;
    var visible = ['', reason === 'script', reason === 'text', !isFormOpen(), isFormOpen()];
    each(notice.children, function (part) { part.hidden = !visible[part.getAttribute('data-part')]; });
    if (reason === shown) return;
    shown = reason;
    shownAt = performance.now();
    notice.setAttribute('role', 'alert');
    notice.hidden = !reason;
    // Offers what works without scripts, and hides the connection status.
    each(document.querySelectorAll('#connection-status .dot, #connection-status [class^="if-"]'), function (part) { part.hidden = !!reason; });
    if (reason) root.removeAttribute('data-hydrated');
    else root.setAttribute('data-hydrated', 'true');
    var prefix = notice.getAttribute('data-title-prefix');
    if (!reason) document.title = document.title.replace(prefix, '');
    else if (started) document.title = prefix + document.title;
  }

  setInterval(function () {
    var isAlive = root.hasAttribute('data-alive');
    root.removeAttribute('data-alive');
    started = started || isAlive;
    missed = isAlive ? 0 : missed + 1;
    replaced = isTextReplaced() ? replaced + 1 : 0;
    show(shown === 'text' || replaced > 1 ? 'text' : failed || missed > MAX_MISSED_SIGNS ? 'script' : '');
    if (!shown || isFormOpen()) return;
    var now = performance.now();
    if (now < RELOAD_MS || (started && now - shownAt < MIN_NOTICE_MS)) return;
    if (started) location.reload();
    else location.replace(script.getAttribute('data-reload-url'));
  }, 1000);

  // Behind a load balancer, during an upgrade, the next server may have the file. The delay is random, so that requests
  // for two files do not alternate between two servers in step.
  function fetchAgain(element) {
    var name = element.href ? 'href' : 'src';
    var parts = element[name].split('?');
    var attempt = Number(parts[1] || 0) + 1;
    if (attempt > MAX_ATTEMPTS) return;
    setTimeout(function () {
      var copy = document.createElement(element.tagName);
      each(element.attributes, function (attribute) { copy.setAttribute(attribute.name, attribute.value); });
      copy.nonce = element.nonce;
      copy[name] = parts[0] + '?' + attempt;
      element.parentNode.replaceChild(copy, element);
    }, 300 * attempt * Math.random());
  }

  function handleError(event) {
    var element = event.target || event;
    if (element.rel === 'stylesheet' || element.tagName === 'SCRIPT') {
      if ((element.href || element.src).indexOf(assets) >= 0) fetchAgain(element);
      return;
    }
    var error = event.error || event.reason;
    failed = failed || (event.filename + ' ' + (error && error.stack)).indexOf(assets) >= 0;
  }
  addEventListener('error', handleError, true);
  addEventListener('unhandledrejection', handleError);

  // Links and forms of a page that has stopped work as without scripts.
  each(['click', 'submit', 'input', 'keydown'], function (type) {
    addEventListener(type, function (event) {
      if (shown && event.target.closest && event.target.closest('#app, #connection-status')) event.stopImmediatePropagation();
    }, true);
  });

  // The title of a frozen tab would become outdated.
  var title = '';
  document.addEventListener('freeze', function () { title = document.title; document.title = 'Cluster Overview'; });
  document.addEventListener('resume', function () { if (title) document.title = title; });
})();
