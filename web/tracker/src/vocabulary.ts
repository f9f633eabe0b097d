/**
 * Every word, icon and colour that a buyer sees, as typed tables. The same JSON files are
 * compiled into the server, so that a page says the same before and after its script runs.
 */
import type { Milestone } from './tracking';
import en from './vocabulary/en.json';
import hi from './vocabulary/hi.json';
import icons from './vocabulary/icons.json';
import table from './vocabulary/milestones.json';

export type { Milestone } from './tracking';
export type Icon = keyof typeof icons;
export type Tone = 'neutral' | 'moving' | 'good' | 'attention' | 'bad';

/** How one milestone is drawn. */
export interface MilestoneLook {
  tone: Tone;
  icon: Icon;
  /** Its icon as a step that is still to come, where a check mark would say that it has. */
  ahead?: Icon;
  /** The row of steps it stands on, and where. */
  path: keyof typeof table.paths;
  step: number;
  /** Whether the parcel is still on its way to the buyer, so that a date of arrival leads. */
  arriving: boolean;
  /** Whether nothing more is expected after it. */
  end: boolean;
}

export type Messages = typeof en;

export type Language = 'en' | 'hi';

export const languages: Record<Language, Messages> = { en, hi };

export const milestones = table.milestones satisfies Record<Milestone, unknown> as Record<
  Milestone,
  MilestoneLook
>;
/** What the server says in a courier's place, in English, and the name under which every language says it. */
export const sentenceOf = new Map(
  Object.entries(en.sentences).map(([name, words]) => [words, name as keyof Messages['sentences']]),
);
export const paths = table.paths as Record<MilestoneLook['path'], Milestone[]>;
export const iconPaths: Record<Icon, string[]> = icons;

/** The language of a tag such as `hi-IN`; null for one that we do not speak. */
export function languageOf(tag: string | null | undefined): Language | null {
  const language = (tag ?? '').toLowerCase().split('-')[0] ?? '';
  return Object.hasOwn(languages, language) ? (language as Language) : null;
}

/** The milestone a word stands for, or null for a word of a later version of the server. */
export function asMilestone(word: unknown): Milestone | null {
  return typeof word === 'string' && Object.hasOwn(milestones, word) ? (word as Milestone) : null;
}

/** The template with each `{name}` replaced; an unknown name stays as it is. */
export function fill(template: string, values: Record<string, string | number>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
