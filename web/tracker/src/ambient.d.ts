declare module '*.css';
declare module '*.css?inline' {
  const text: string;
  export default text;
}

/** Only what bundlers replace by name; there is no process in a browser. */
declare const process: {
  env: {
    NEXT_PUBLIC_SOKETI_KEY?: string;
    NEXT_PUBLIC_SOKETI_HOST?: string;
    NEXT_PUBLIC_SOKETI_PORT?: string;
    NEXT_PUBLIC_SOKETI_TLS?: string;
    NEXT_PUBLIC_SOKETI_CLUSTER?: string;
    NEXT_PUBLIC_WAYBILL_URL?: string;
  };
};
