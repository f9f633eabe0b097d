import { type Icon as IconName, iconPaths } from '../vocabulary';

/** A line drawing of 24 units, in the colour of its text. Only decoration: words stand beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg aria-hidden="true" className="waybill-icon" focusable="false" viewBox="0 0 24 24">
      {iconPaths[name].map((path) => (
        <path d={path} key={path} />
      ))}
    </svg>
  );
}
