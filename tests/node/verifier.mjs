// Compiles a verifier contract, runs it in an Ethereum virtual machine, and
// prints its answers: node verifier.mjs MODULES CONTRACT < calls.
//
// Standard input: a JSON list of calls, each {proof: hex of 256 bytes, input:
// decimal}. Standard output: a JSON list of {accepted, gas}.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [modules, contract] = process.argv.slice(2);
const require = createRequire(path.join(modules, 'package.json'));
const solc = require('solc');
const { EVM } = require('@ethereumjs/evm');
const { Address, hexToBytes, bytesToHex } = require('@ethereumjs/util');

const output = JSON.parse(solc.compile(JSON.stringify({
  language: 'Solidity',
  sources: { 'Verifier.sol': { content: fs.readFileSync(contract, 'utf8') } },
  settings: {
    optimizer: { enabled: true, runs: 200 },
    outputSelection: { '*': { '*': ['evm.bytecode.object', 'evm.methodIdentifiers'] } },
  },
})));
// A compiler warning also fails the test.
if (output.errors) throw new Error(output.errors.map((e) => e.formattedMessage).join('\n'));
const { evm: compiled } = output.contracts['Verifier.sol'].Verifier;
const selector = compiled.methodIdentifiers['verify(uint256[8],uint256)'];

const evm = await EVM.create();
const caller = Address.fromString('0x' + '11'.repeat(20));
const made = await evm.runCall({
  caller,
  data: hexToBytes('0x' + compiled.bytecode.object),
  gasLimit: 30_000_000n,
});
if (made.execResult.exceptionError) throw new Error(String(made.execResult.exceptionError));

const answers = [];
for (const { proof, input } of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  const word = BigInt(input).toString(16).padStart(64, '0');
  const { execResult } = await evm.runCall({
    caller,
    to: made.createdAddress,
    data: hexToBytes('0x' + selector + proof + word),
    gasLimit: 30_000_000n,
  });
  if (execResult.exceptionError) throw new Error(String(execResult.exceptionError));
  answers.push({
    accepted: BigInt(bytesToHex(execResult.returnValue)) === 1n,
    gas: Number(execResult.executionGasUsed),
  });
}
console.log(JSON.stringify(answers));
