// Notices when the page's own half in the browser did not start, has stopped, or writes into text that is no longer
// shown; says so in the header and reloads the page. It stands in the document itself and is written in old syntax,
// so that it also runs where no other file of the page arrives or runs.
(function () {
  var MISSED_BEATS = 8, MAX_TRIES = 14, RELOAD_MS = 30000, READABLE_MS = 10000;
  var root = document.documentElement;
  var own = document.currentScript;
  var files = own.getAttribute('data-assets') + '/';
  var missed = 0, strange = 0, started = false, failed = false, shown = '', since = 0;

  function each(list, act) {
    for (var i = 0; i < list.length; i += 1) act(list[i]);
  }

  function squeezed(text) {
    return text.replace(/\s+/g, ' ').trim();
  }

  // What the page says twice, once in text that a translator can replace, must be the same.
  function isStrange() {
    var headline = document.getElementById('verdict');
    var state = document.querySelector('#connection-status [data-time]');
    return !!document.querySelector('#app font, #connection-status font')
      || (headline && squeezed(document.title).indexOf(squeezed(headline.textContent)) < 0)
      || (state && state.textContent.indexOf(state.getAttribute('data-time')) < 0);
  }

  function isAsked() {
    return !!document.querySelector('#confirm, #load_balancing');
  }

  function show(why) {
    var notice = document.getElementById('not-live');
    if (!notice) return;
    var wanted = ['', why === 'script', why === 'text', !isAsked(), isAsked()];
    each(notice.children, function (part) { part.hidden = !wanted[part.getAttribute('data-part')]; });
    if (why === shown) return;
    shown = why;
    since = performance.now();
    notice.setAttribute('role', 'alert');
    notice.hidden = !why;
    // What needs no scripts is offered again, and nothing says that news comes.
    each(document.querySelectorAll('#connection-status .dot, #connection-status [class^="if-"]'), function (part) { part.hidden = !!why; });
    if (why) root.removeAttribute('data-hydrated');
    else root.setAttribute('data-hydrated', 'true');
    var mark = notice.getAttribute('data-title-prefix');
    if (!why) document.title = document.title.replace(mark, '');
    else if (started) document.title = mark + document.title;
  }

  setInterval(function () {
    var beats = root.hasAttribute('data-alive');
    root.removeAttribute('data-alive');
    started = started || beats;
    missed = beats ? 0 : missed + 1;
    strange = isStrange() ? strange + 1 : 0;
    show(shown === 'text' || strange > 1 ? 'text' : failed || missed > MISSED_BEATS ? 'script' : '');
    if (!shown || isAsked()) return;
    var now = performance.now();
    if (now < RELOAD_MS || (started && now - since < READABLE_MS)) return;
    if (started) location.reload();
    else location.replace(own.getAttribute('data-reload-url'));
  }, 1000);

  // Behind a balancer, while servers are updated, the next server may have a file that this one does not. Not in step
  // with other files: whoever takes turns would give each to the wrong server again.
  function fetchAgain(element) {
    var name = element.href ? 'href' : 'src';
    var parts = element[name].split('?');
    var tries = Number(parts[1] || 0) + 1;
    if (tries > MAX_TRIES) return;
    setTimeout(function () {
      var copy = document.createElement(element.tagName);
      each(element.attributes, function (attribute) { copy.setAttribute(attribute.name, attribute.value); });
      copy.nonce = element.nonce;
      copy[name] = parts[0] + '?' + tries;
      element.parentNode.replaceChild(copy, element);
    }, 300 * tries * Math.random());
  }

  function notice(event) {
    var element = event.target || event;
    if (element.rel === 'stylesheet' || element.tagName === 'SCRIPT') {
      if ((element.href || element.src).indexOf(files) >= 0) fetchAgain(element);
      return;
    }
    var error = event.error || event.reason;
    failed = failed || (event.filename + ' ' + (error && error.stack)).indexOf(files) >= 0;
  }
  addEventListener('error', notice, true);
  addEventListener('unhandledrejection', notice);

  // Links and forms of a page that has stopped lead where they would without scripts.
  each(['click', 'submit', 'input', 'keydown'], function (type) {
    addEventListener(type, function (event) {
      if (shown && event.target.closest && event.target.closest('#app, #connection-status')) event.stopImmediatePropagation();
    }, true);
  });

  // A frozen tab keeps nothing up to date.
  var title = '';
  document.addEventListener('freeze', function () { title = document.title; document.title = 'Cluster Overview'; });
  document.addEventListener('resume', function () { if (title) document.title = title; });
})();
