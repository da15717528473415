// A config as the source text of a createMachine() call, for failure messages that can be pasted. Functions print as what they were made by.

const sources = new WeakMap<object, string>();

/** The same function, which prints as `text`. */
export function printsAs<T extends object>(text: string, it: T): T {
  sources.set(it, text);
  return it;
}

export function printMachine(config: unknown): string {
  return `createMachine(${print(config, '')})`;
}

/** Lines longer than this are broken. */
const WIDTH = 110;

function print(value: unknown, indent: string): string {
  if (typeof value === 'function') return sources.get(value) ?? printBuiltin(value as unknown as Readonly<Record<string, unknown>>, indent);
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const parts = Array.isArray(value)
    ? value.map((item: unknown) => print(item, inner))
    : Object.entries(value).map(([key, item]) => `${/^[a-z_$][\w$]*$/i.test(key) ? key : print(key, '')}: ${print(item, inner)}`);
  if (parts.length === 0) return `${open}${close}`;
  const line = `${open} ${parts.join(', ')} ${close}`;
  if (line.length + indent.length <= WIDTH && !line.includes('\n')) return line;
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join('')}${indent}${close}`;
}

/** assign(), raise() and their kin are functions that carry what they were given. */
function printBuiltin(it: Readonly<Record<string, unknown>>, indent: string): string {
  const type = it.type;
  if (typeof type !== 'string' || !type.startsWith('xstate.')) return '() => undefined';
  const given = Object.entries(it).filter(([key, value]) => !['type', 'resolve', 'execute'].includes(key) && value !== undefined);
  return `${type.slice(7)}(${given.map(([key, value]) => `/* ${key} */ ${print(value, indent)}`).join(', ')})`;
}
