<?php
// viewcount over HTTP for PHP pages, with nothing but PHP itself. Copy this file beside your pages; page.php shows its use.
//
// It never holds up a page: whatever it asks, one page waits for at most SECONDS_MAX in all, and once something failed
// it asks no more. Give the service's address as a number, or keep the name in /etc/hosts: PHP's own look-up of a name
// cannot be timed.
declare(strict_types=1);

final class Viewcount
{
    // What one page waits, all its questions together. A view is answered when it is on the service's disk: some
    // milliseconds.
    private const SECONDS_MAX = 0.2;
    // Of one answer: the service takes 1,000 articles a question, whose IDs have at most 512 bytes.
    private const ANSWER_BYTES_MAX = 1 << 20;

    private float $secondsLeft = self::SECONDS_MAX;

    // `$address` is HOST:PORT of viewcountd's --http-address.
    public function __construct(private readonly string $address, private readonly string $site)
    {
    }

    // Reports one view of the article by the visitor of this request. False if it was not acknowledged; it is not sent
    // again then, because it may have been counted all the same.
    public function record(string $articleId): bool
    {
        // The service sees this server as its client; with these it knows the visitor, and tells people from bots. It
        // believes them if --trusted-backends of viewcountd names this server, or both run on one machine. Before the
        // last address come those that a proxy in front of PHP wrote, if --trusted-proxies names it.
        $way = array_filter([$_SERVER['HTTP_X_FORWARDED_FOR'] ?? '', $_SERVER['REMOTE_ADDR'] ?? '']);
        $fields = [
            'X-Viewcount-Visitor-Address' => implode(', ', $way),
            'X-Viewcount-Visitor-Agent' => $_SERVER['HTTP_USER_AGENT'] ?? '',
        ];
        return $this->post('views', ['articleId' => $articleId], $fields) !== null;
    }

    // The counts of up to 1,000 articles in one question, by ID; empty if the service does not tell.
    public function counts(array $articleIds): array
    {
        $answer = $this->post('counts:batchGet', ['articleIds' => array_values($articleIds)]);
        $counts = [];
        foreach ($answer['counts'] ?? [] as $count) {
            // 64-bit numbers are strings in JSON.
            $counts[$count['articleId']] = (int) $count['views'];
        }
        return $counts;
    }

    private function post(string $path, array $message, array $fields = []): ?array
    {
        $body = json_encode($message, JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
        $fields += ['Host' => $this->address, 'Content-Type' => 'application/json', 'Content-Length' => strlen($body)];
        // HTTP/1.0: the answer ends with the connection, and has no chunks to be put together.
        $request = 'POST /v1/sites/' . rawurlencode($this->site) . "/$path HTTP/1.0\r\n";
        foreach (array_filter($fields, fn ($value) => $value !== '') as $name => $value) {
            // No field may end early and begin another.
            $request .= "$name: " . preg_replace('/[\x00-\x1f\x7f]/', ' ', (string) $value) . "\r\n";
        }
        $began = hrtime(true);
        $answer = $this->exchange("$request\r\n$body", $began + (int) ($this->secondsLeft * 1e9));
        $this->secondsLeft -= (hrtime(true) - $began) / 1e9;
        if ($answer === null) {
            $this->secondsLeft = 0;
            return null;
        }
        [$head, $body] = explode("\r\n\r\n", $answer, 2) + ['', ''];
        if (!preg_match('~^HTTP/1\.[01] 200 ~', $head)) {
            return null;
        }
        $decoded = json_decode($body, true);
        return is_array($decoded) ? $decoded : null;
    }

    // Sends the request and takes the answer to its end, until `$deadline` (of hrtime); null if that fails.
    private function exchange(string $request, int $deadline): ?string
    {
        $left = ($deadline - hrtime(true)) / 1e9;
        // Refused and unreachable are no news to the page, so no warning.
        $stream = $left > 0 ? @stream_socket_client("tcp://$this->address", $code, $text, $left) : false;
        if ($stream === false) {
            return null;
        }
        stream_set_blocking($stream, false);
        $answer = '';
        while (!feof($stream) && strlen($answer) <= self::ANSWER_BYTES_MAX) {
            $left = intdiv($deadline - hrtime(true), 1000);
            $readable = [$stream];
            $writable = $request === '' ? [] : [$stream];
            $others = [];
            if ($left <= 0 || @stream_select($readable, $writable, $others, 0, $left) === false) {
                return null;
            }
            if ($writable !== []) {
                $request = substr($request, (int) @fwrite($stream, $request));
            }
            $answer .= (string) @fread($stream, 65536);
        }
        return $answer;
    }
}
