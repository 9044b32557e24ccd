/** The name of the lock that a page holds for as long as its tab is open. */
export const tabLock = (tab: string) => `tributary tab ${tab}`;
