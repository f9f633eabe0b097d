/**
 * The bundles that a buyer downloads carry Preact in React's place: the same components at a third of the
 * size. The package for shops with React does not; the tests run with both.
 */
export const preactForReact = {
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
  'react-dom': 'preact/compat',
  react: 'preact/compat',
};
