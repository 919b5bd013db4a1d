// <cluster-overview src="https://overview.example/" code="/cluster-overview-code"></cluster-overview>
//
// The overview as one tag of a product's page: a frame as high as what it shows.
//
//   src    the overview's address; it must name this page's origin in --frame-ancestors
//   code   an address of the product that answers a POST with {"code": "…"}, for whoever is signed in there;
//          without it the overview asks the reader to sign in, or knows them by itself
//   theme  light or dark; without it, as the reader's system has it
//   lang   en or de; without it, as the reader's browser has it
//   label  how the frame is called by who cannot see it; "Cluster Overview" without it
//
// It says what went wrong in its place, and by an event `error` whose `detail` is the sentence.

const NAMES = ['src', 'code', 'theme', 'lang', 'label'];
/** A frame is at least so high, in pixels, and at most: whatever it says. */
const [LOWEST, HIGHEST] = [240, 100_000];
/** Whoever is signed out is let in again by a new code, at most so often, in milliseconds. */
const BETWEEN_CODES = 10_000;

class ClusterOverview extends HTMLElement {
  static observedAttributes = NAMES;

  #frame;
  #ended;
  #origin;
  #trial = 0;
  #asked = -Infinity;
  #due = false;

  connectedCallback() {
    this.#ended = new AbortController();
    this.#frame = document.createElement('iframe');
    this.#frame.referrerPolicy = 'origin';
    // By this the page within knows that it is in a tag.
    this.#frame.name = 'cluster-overview-tag';
    Object.assign(this.#frame.style, { display: 'block', width: '100%', border: '0', height: `${LOWEST}px` });
    addEventListener('message', (event) => this.#hear(event), { signal: this.#ended.signal });
    this.replaceChildren(this.#frame);
    this.#asked = -Infinity;
    this.#show(true);
  }

  disconnectedCallback() {
    this.#ended.abort();
    this.#trial += 1;
    this.replaceChildren();
    this.#frame = undefined;
  }

  attributeChangedCallback(name, before, now) {
    if (!this.#frame || before === now || this.#due) return;
    // Several are often set one after the other.
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      if (this.#frame) this.#show(name === 'src' || name === 'code');
    });
  }

  /** Shows the overview; whoever comes anew is let in by a code. */
  async #show(anew) {
    const trial = (this.#trial += 1);
    const [src, code, theme, lang, label] = NAMES.map((name) => this.getAttribute(name));
    this.#frame.title = label ?? 'Cluster Overview';
    try {
      const address = this.#address(src, { chrome: 'none', ...(theme && { theme }), ...(lang && { lang }) });
      this.#origin = address.origin;
      if (anew && code) {
        this.#asked = performance.now();
        await this.#letIn(address, code);
      }
      if (trial !== this.#trial) return;
      this.#frame.src = address;
      if (!this.contains(this.#frame)) this.replaceChildren(this.#frame);
    } catch (error) {
      if (trial === this.#trial) this.#fail(error);
    }
  }

  /** Where the overview is, with this query. */
  #address(src, query) {
    if (!src) throw new Error('the attribute src is missing: the address of the overview');
    const address = new URL(src, document.baseURI);
    if (!/^https?:$/.test(address.protocol)) throw new Error(`${src} is no address of an overview`);
    address.hash = '';
    address.search = String(new URLSearchParams(query));
    address.pathname = address.pathname.replace(/\/*$/, '/');
    return address;
  }

  /** Makes an address let in whoever opens it. */
  async #letIn(address, code) {
    address.searchParams.set('code', await this.#code(code));
    address.pathname += 'embed';
  }

  /** Opens the overview in a window of its own, for a browser that keeps no session in a frame. */
  async #open() {
    const [src, code, theme, lang] = NAMES.map((name) => this.getAttribute(name));
    // A window that opens only once a code is there is taken for advertising.
    const opened = window.open('', '_blank');
    try {
      const address = this.#address(src, { chrome: 'all', ...(theme && { theme }), ...(lang && { lang }) });
      if (code) await this.#letIn(address, code);
      if (opened) opened.location = address;
    } catch (error) {
      opened?.close();
      this.#fail(error);
    }
  }

  async #code(address) {
    const answer = await fetch(new URL(address, document.baseURI), { method: 'POST', signal: this.#ended.signal });
    if (!answer.ok) throw new Error(`${address} answered ${answer.status} where a code was wanted`);
    const { code } = await answer.json();
    if (typeof code !== 'string') throw new Error(`${address} answered without a code`);
    return code;
  }

  #fail(error) {
    const sentence = `Cluster Overview cannot be shown: ${error.message}`;
    const told = document.createElement('p');
    told.role = 'alert';
    told.textContent = sentence;
    this.replaceChildren(told);
    this.dispatchEvent(new CustomEvent('error', { detail: sentence }));
  }

  #hear({ source, origin, data }) {
    if (!this.#frame || source !== this.#frame.contentWindow || origin !== this.#origin) return;
    if (data?.type === 'cluster-overview:height' && Number.isFinite(data.height)) {
      this.#frame.style.height = `${Math.min(Math.max(data.height, LOWEST), HIGHEST)}px`;
    }
    if (data?.type === 'cluster-overview:open') this.#open();
    const again = performance.now() - this.#asked > BETWEEN_CODES;
    if (data?.type === 'cluster-overview:signed-out' && again && this.hasAttribute('code')) this.#show(true);
  }
}

if (!customElements.get('cluster-overview')) customElements.define('cluster-overview', ClusterOverview);
