/** `bare-server.ts`, forked: a fastify that reads bodies and does nothing with them. Says where it listens. */
import fastify from 'fastify';

const app = fastify({ bodyLimit: 33_000_000 });
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/v1/events/:feed', async ({ body }) => ({ bytes: (body as Buffer).length }));
process.send?.(await app.listen({ host: '127.0.0.1', port: 0 }));
process.once('disconnect', () => process.exit());
