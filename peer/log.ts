// Where a peer says what nobody asked: faults of authors' effects, of journals, of its own. The program that runs it decides what that means.

export type Report = (level: 'info' | 'warn' | 'error', message: string, error?: unknown) => void;
