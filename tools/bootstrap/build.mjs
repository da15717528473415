// npm run build: everything that the package ships.

import { prepare } from './prepare.mjs';

prepare('core', 'product', 'browser', 'pages', 'types');
