/** `describe-history.ts DATA`: prints how many event rows an instance holds and how large its database is. */
import { stat } from 'node:fs/promises';
import { openHistory } from './open-history.ts';

const instance = await openHistory(process.argv[2] ?? '', 'read');
const tables = ['impressions', 'clicks', 'conversions', 'bid_requests'];
const [counted] = await instance.engine.rows<{ rows: bigint }>(`select ${tables.map((table) => `(select count(*) from silver.${table})`).join(' + ')} as rows`);
const { size } = await stat(instance.directory.database);
await instance.close();
console.log(JSON.stringify({ rows: Number(counted?.rows), databaseBytes: size }));
