/** Work on many things, a few at a time. */

/**
 * @param limit How many at once; what is not given suits questions to caches.
 * @returns What came of each, in the order of the items. @throws what the first failing one threw; no further one is begun.
 */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
  limit = 8,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const workers = Array.from({ length: limit }, async () => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) results[next[0]] = await work(next[1]);
    } catch (error) {
      queue.length = 0;
      throw error;
    }
  });
  await Promise.all(workers);
  return results;
}
