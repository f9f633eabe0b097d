import type { NextConfig } from 'next';

const config: NextConfig = {
  // The repository has lock files above this folder, and they are not this shop's.
  turbopack: { root: import.meta.dirname },
};

export default config;
