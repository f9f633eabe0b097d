/**
 * `<order-tracker order-id="…">` for shops without React. Attributes are the component's props with
 * dashes; the property `order` takes what the shop knows already.
 */
import { createRoot, type Root } from 'react-dom/client';
import type { TrackerConfig } from './config';
import { OrderTracker } from './OrderTracker';
import type { RootProps } from './parts/Root';
import styles from './styles.css?inline';

const attributes = [
  'order-id',
  'show-timeline',
  'lang',
  'theme',
  'api-url',
  'soketi-key',
  'soketi-host',
  'soketi-port',
  'soketi-tls',
  'soketi-cluster',
  'watch-token',
  'auth-endpoint',
] as const;
type Attribute = (typeof attributes)[number];

/** Defines the element under its name, once; `defaults` serve where an attribute is missing. */
export function defineOrderTracker(defaults: TrackerConfig = {}): void {
  if (customElements.get('order-tracker')) return;
  customElements.define('order-tracker', elementClass(defaults));
}

// The class is made on demand: where pages are rendered on a server there is no HTMLElement.
function elementClass(defaults: TrackerConfig): CustomElementConstructor {
  return class OrderTrackerElement extends HTMLElement {
    static observedAttributes: readonly string[] = attributes;

    #root: Root | null = null;
    #order: unknown;

    /** What the shop knows already: a snapshot, or an order with `shipping` fields. */
    get order(): unknown {
      return this.#order;
    }
    set order(order: unknown) {
      this.#order = order;
      this.#render();
    }

    connectedCallback(): void {
      // A page may have told the order before this script came: then it stands in the way of the property.
      if (Object.hasOwn(this, 'order')) {
        const { order } = this;
        Reflect.deleteProperty(this, 'order');
        this.#order = order;
      }
      this.#root ??= createRoot(this.#mount());
      this.#render();
    }

    disconnectedCallback(): void {
      // Moving an element disconnects and connects it: only what stays away is taken down.
      queueMicrotask(() => {
        if (this.isConnected) return;
        this.#root?.unmount();
        this.#root = null;
      });
    }

    attributeChangedCallback(): void {
      this.#render();
    }

    #mount(): ShadowRoot {
      const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(
        `:host { display: block; inline-size: -moz-available; inline-size: -webkit-fill-available } :host([hidden]) { display: none } ${styles}`,
      );
      shadow.adoptedStyleSheets = [sheet];
      return shadow;
    }

    #render(): void {
      const orderId = this.#text('order-id');
      if (!this.#root) return;
      this.#root.render(
        orderId && (
          <OrderTracker
            apiUrl={this.#text('api-url') ?? defaults.apiUrl}
            authEndpoint={this.#text('auth-endpoint')}
            key={orderId}
            lang={this.closest<HTMLElement>('[lang]')?.lang || undefined}
            order={this.#order}
            orderId={orderId}
            showTimeline={this.#text('show-timeline') !== 'false'}
            soketiCluster={this.#text('soketi-cluster') ?? defaults.soketiCluster}
            soketiHost={this.#text('soketi-host') ?? defaults.soketiHost}
            soketiKey={this.#text('soketi-key') ?? defaults.soketiKey}
            soketiPort={this.#text('soketi-port') ?? defaults.soketiPort}
            soketiTls={this.#text('soketi-tls') ?? defaults.soketiTls}
            watchToken={this.#text('watch-token')}
            theme={(this.#text('theme') as RootProps['theme']) ?? 'auto'}
          />
        ),
      );
    }

    #text(attribute: Attribute): string | undefined {
      return this.getAttribute(attribute) ?? undefined;
    }
  };
}
