// Imported by the machine: the plugin follows imports.

export const LIMIT = 3;
