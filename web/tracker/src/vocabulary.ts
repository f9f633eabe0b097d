/**
 * Every word, icon and colour that a buyer sees, as typed tables. The same JSON files are
 * compiled into the server, so that a page says the same before and after its script runs.
 */
import en from './vocabulary/en.json';
import icons from './vocabulary/icons.json';
import table from './vocabulary/milestones.json';

export type Milestone = keyof typeof table.milestones;
export type Icon = keyof typeof icons;
export type Tone = 'neutral' | 'moving' | 'good' | 'attention' | 'bad';

/** How one milestone is drawn. */
export interface MilestoneLook {
  tone: Tone;
  icon: Icon;
  /** The row of steps it stands on, and where. */
  path: keyof typeof table.paths;
  step: number;
  /** Whether the parcel is still on its way to the buyer, so that a date of arrival leads. */
  arriving: boolean;
  /** Whether nothing more is expected after it. */
  end: boolean;
}

export type Messages = typeof en;

export const languages = { en } satisfies Record<string, Messages>;
export type Language = keyof typeof languages;

export const milestones = table.milestones as Record<Milestone, MilestoneLook>;
export const paths = table.paths as Record<MilestoneLook['path'], Milestone[]>;
export const iconPaths: Record<Icon, string[]> = icons;

/** The messages of a language tag such as `en-IN`; English when we do not speak it. */
export function messagesFor(tag: string | undefined): { language: Language; messages: Messages } {
  const language = (tag ?? '').toLowerCase().split('-')[0] ?? '';
  return language in languages
    ? { language: language as Language, messages: languages[language as Language] }
    : { language: 'en', messages: en };
}

/** The milestone a word stands for, or null for a word of a later version of the server. */
export function asMilestone(word: unknown): Milestone | null {
  return typeof word === 'string' && Object.hasOwn(milestones, word) ? (word as Milestone) : null;
}

/** The template with each `{name}` replaced; an unknown name stays as it is. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
