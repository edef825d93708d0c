// A program for the tests: a Replier that takes a Request and never answers. Its argument are the options of open(); with another
// it has a child.

import { spawn } from 'node:child_process';

import { open } from '../src/node.js';
import { need } from './world.js';

const options = JSON.parse(process.argv[2]);
const ksock = await open(0, options.url === undefined ? {} : { ...options, WebSocket: need('ws') });
await ksock.bindReplier('$.Silent');
if (process.argv[3] === 'child') console.log('child', spawn('sleep', ['600'], { stdio: 'ignore', detached: true }).pid);
console.log('bound');
await ksock.receive();
console.log('asked');
await ksock.receive();
