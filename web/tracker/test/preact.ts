/** What the tests use of @testing-library/react, drawn by Preact. */
import { configure, getQueriesForElement } from '@testing-library/dom';
import { type ComponentChild, render as draw } from 'preact';
import { act } from 'preact/test-utils';

export { screen, within } from '@testing-library/dom';
export { act };

configure({
  asyncWrapper: async (callback) => {
    let result: ReturnType<typeof callback> | undefined;
    await act(() => {
      result = callback();
    });
    return (await result) as Awaited<typeof result>;
  },
  eventWrapper: (callback) => {
    let result: unknown;
    act(() => {
      result = callback();
    });
    return result;
  },
});

const containers = new Set<HTMLElement>();

export function render(element: ComponentChild) {
  const container = document.body.appendChild(document.createElement('div'));
  containers.add(container);
  const rerender = (next: ComponentChild) => act(() => draw(next, container));
  rerender(element);
  return { container, rerender, ...getQueriesForElement(container) };
}

export function cleanup(): void {
  for (const container of containers) {
    act(() => draw(null, container));
    container.remove();
  }
  containers.clear();
}
