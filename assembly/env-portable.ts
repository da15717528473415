// The host's functions for the core as TypeScript; core/dialect.ts sets them.

export const host = {
  guard(_functionNumber: i32, _handle: i32): i32 {
    return -1;
  },
  action(_functionNumber: i32, _handle: i32): i32 {
    return -1;
  },
  live(_word: i32, _handle: i32): i32 {
    return -1;
  },
  value(_operation: i32, _cells: i32, _argument: i32, _handle: i32): i32 {
    return -1;
  },
};

export function guard(functionNumber: i32, handle: i32): i32 {
  return host.guard(functionNumber, handle);
}

export function action(functionNumber: i32, handle: i32): i32 {
  return host.action(functionNumber, handle);
}

export function live(word: i32, handle: i32): i32 {
  return host.live(word, handle);
}

export function value(operation: i32, cells: i32, argument: i32, handle: i32): i32 {
  return host.value(operation, cells, argument, handle);
}
