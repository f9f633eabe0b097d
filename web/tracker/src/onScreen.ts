/** Whether an element can be seen, for what is not worth doing for one that cannot. */
import { type RefObject, useEffect, useState } from 'react';

/** How near the screen counts as on it. */
const margin = '240px';

/** Scrolling past and back is no absence. */
export const offAfter = 5_000;

const watched = new WeakMap<Element, (seen: boolean) => void>();
let observer: IntersectionObserver | undefined;

function observe(element: Element, told: (seen: boolean) => void): () => void {
  observer ??= new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) watched.get(target)?.(isIntersecting);
    },
    { rootMargin: margin },
  );
  watched.set(element, told);
  observer.observe(element);
  return () => {
    watched.delete(element);
    observer?.unobserve(element);
  };
}

/** Whether the element is on the screen or near it; false until it is known, true where it cannot be. */
export function useOnScreen(ref: RefObject<Element | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element || typeof IntersectionObserver === 'undefined') {
      setSeen(true);
      return;
    }
    let leaving: ReturnType<typeof setTimeout> | undefined;
    const stop = observe(element, (isSeen) => {
      clearTimeout(leaving);
      leaving = undefined;
      if (isSeen) setSeen(true);
      else leaving = setTimeout(() => setSeen(false), offAfter);
    });
    return () => {
      clearTimeout(leaving);
      stop();
    };
  }, [ref]);
  return seen;
}
