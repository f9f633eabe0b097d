import type { Metadata, Viewport } from 'next';
import Link from 'next/link';
import type { ReactNode } from 'react';
import '@waybill/order-tracker/styles.css';
import './shop.css';

export const metadata: Metadata = { title: 'Neem Street', referrer: 'no-referrer', icons: 'data:,' };
export const viewport: Viewport = { colorScheme: 'light dark' };

export default function Layout({ children }: { children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <header>
          <Link href="/orders">Neem Street</Link>
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
}
