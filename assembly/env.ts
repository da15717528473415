// The functions that the host gives to the core. asc takes the import module's name, `env`, from the name of this file.

export declare function guard(functionNumber: i32, handle: i32): i32;
export declare function action(functionNumber: i32, handle: i32): i32;
export declare function live(word: i32, handle: i32): i32;
export declare function value(operation: i32, cells: i32, argument: i32, handle: i32): i32;
