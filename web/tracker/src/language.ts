/** In which language a tracker speaks. */
import { useSyncExternalStore } from 'react';
import { type Language, languageOf, languages, type Messages } from './vocabulary';

const unspoken: Language = 'en';

/** The page's own language if we speak it, else the first of the viewer's that we do. */
function viewersLanguage(): Language {
  for (const tag of [document.documentElement.lang, ...(navigator.languages ?? [])]) {
    const language = languageOf(tag);
    if (language) return language;
  }
  return unspoken;
}

const never = () => () => {};

/**
 * The language of a tag such as `hi-IN`, English where we do not speak it; without a tag the viewer's. On a
 * server nobody's is known: there it is English, and the first render in the browser says the same.
 */
export function useLanguage(tag: string | undefined): { language: Language; messages: Messages } {
  const viewers = useSyncExternalStore(never, viewersLanguage, () => unspoken);
  const language = tag ? (languageOf(tag) ?? unspoken) : viewers;
  return { language, messages: languages[language] };
}
