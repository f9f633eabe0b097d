import { configure } from '@testing-library/dom';
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

// A busy machine is no reason to fail.
configure({ asyncUtilTimeout: 10_000 });

afterEach(cleanup);
