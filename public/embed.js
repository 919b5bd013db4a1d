// <cluster-overview src="https://overview.example/" code="/cluster-overview-code"></cluster-overview>
//
// The overview as an element of a product's page: a frame that is as high as its content.
//
//   src    the overview's address; the overview must allow this page's origin with --frame-ancestors
//   code   an address of the product that answers a POST with {"code": "…"} for the user who is signed in there;
//          without it the overview asks the user to sign in, unless it knows them from a proxy
//   theme  light or dark; the default is that of the user's system
//   lang   en or de; the default is that of the user's browser
//   label  the frame's name for screen readers; the default is "Cluster Overview"
//
// If something goes wrong, the element shows a sentence, and fires an event `error` with the sentence as its `detail`.

const ATTRIBUTES = ['src', 'code', 'theme', 'lang', 'label'];
/** Limits for the height that the frame reports. */
const [MIN_HEIGHT_PX, MAX_HEIGHT_PX] = [240, 100_000];
/** The shortest time between two requests for a code. */
const CODE_INTERVAL_MS = 10_000;

class ClusterOverview extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  #frame;
  #abort;
  #overviewOrigin;
  #attempt = 0;
  #codeRequestedAt = -Infinity;
  #isUpdateQueued = false;

  connectedCallback() {
    this.#abort = new AbortController();
    this.#frame = document.createElement('iframe');
    this.#frame.referrerPolicy = 'origin';
    // Tells the page in the frame that it is in this element.
    this.#frame.name = 'cluster-overview-tag';
    Object.assign(this.#frame.style, { display: 'block', width: '100%', border: '0', height: `${MIN_HEIGHT_PX}px` });
    addEventListener('message', (event) => this.#onMessage(event), { signal: this.#abort.signal });
    this.replaceChildren(this.#frame);
    this.#codeRequestedAt = -Infinity;
    this.#show(true);
  }

  disconnectedCallback() {
    this.#abort.abort();
    this.#attempt += 1;
    this.replaceChildren();
    this.#frame = undefined;
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#frame || before === now || this.#isUpdateQueued) return;
    // Several attributes are often set one after the other.
    this.#isUpdateQueued = true;
    queueMicrotask(() => {
      this.#isUpdateQueued = false;
      if (this.#frame) this.#show(name === 'src' || name === 'code');
    });
  }

  /** Shows the overview. `signIn`: requests a code first, if there is an address for it. */
  async #show(signIn) {
    const attempt = (this.#attempt += 1);
    const [src, code, theme, lang, label] = ATTRIBUTES.map((name) => this.getAttribute(name));
    this.#frame.title = label ?? 'Cluster Overview';
    try {
      const address = this.#address(src, { chrome: 'none', ...(theme && { theme }), ...(lang && { lang }) });
      this.#overviewOrigin = address.origin;
      if (signIn && code) {
        this.#codeRequestedAt = performance.now();
        await this.#addCode(address, code);
      }
      if (attempt !== this.#attempt) return;
      this.#frame.src = address;
      if (!this.contains(this.#frame)) this.replaceChildren(this.#frame);
    } catch (error) {
      if (attempt === this.#attempt) this.#fail(error);
    }
  }

  /** The overview's address with this query. */
  #address(src, query) {
    if (!src) throw new Error('the attribute src is missing: the address of the overview');
    const address = new URL(src, document.baseURI);
    if (!/^https?:$/.test(address.protocol)) throw new Error(`the attribute src is not an http or https address: ${src}`);
    address.hash = '';
    address.search = String(new URLSearchParams(query));
    address.pathname = address.pathname.replace(/\/*$/, '/');
    return address;
  }

  /** Adds a code to an address, which signs in the user who opens it. */
  async #addCode(address, code) {
    address.searchParams.set('code', await this.#requestCode(code));
    address.pathname += 'embed';
  }

  /** Opens the overview in its own window, for a browser that keeps no session in a frame. */
  async #openWindow() {
    const [src, code, theme, lang] = ATTRIBUTES.map((name) => this.getAttribute(name));
    // Browsers block a window that opens later than the click.
    const opened = window.open('', '_blank');
    try {
      const address = this.#address(src, { chrome: 'all', ...(theme && { theme }), ...(lang && { lang }) });
      if (code) await this.#addCode(address, code);
      if (opened) opened.location = address;
    } catch (error) {
      opened?.close();
      this.#fail(error);
    }
  }

  async #requestCode(address) {
    const response = await fetch(new URL(address, document.baseURI), { method: 'POST', signal: this.#abort.signal });
    if (!response.ok) throw new Error(`${address} answered ${response.status} instead of a code`);
    const { code } = await response.json();
    if (typeof code !== 'string') throw new Error(`${address} answered without a code`);
    return code;
  }

  #fail(error) {
    const sentence = `Cluster Overview cannot be shown: ${error.message}`;
    const notice = document.createElement('p');
    notice.role = 'alert';
    notice.textContent = sentence;
    this.replaceChildren(notice);
    this.dispatchEvent(new CustomEvent('error', { detail: sentence }));
  }

  #onMessage({ source, origin, data }) {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#overviewOrigin) return;
    if (data?.type === 'cluster-overview:height' && Number.isFinite(data.height)) {
      this.#frame.style.height = `${Math.min(Math.max(data.height, MIN_HEIGHT_PX), MAX_HEIGHT_PX)}px`;
    }
    if (data?.type === 'cluster-overview:open') this.#openWindow();
    const isDue = performance.now() - this.#codeRequestedAt > CODE_INTERVAL_MS;
    if (data?.type === 'cluster-overview:signed-out' && isDue && this.hasAttribute('code')) this.#show(true);
  }
}

if (!customElements.get('cluster-overview')) customElements.define('cluster-overview', ClusterOverview);
