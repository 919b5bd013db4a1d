$token = (Get-Content $env:TOKEN_FILE).Trim(); $boot = [guid]::NewGuid()
while ($true) {
    $beat = @{ server = "app-1"; role = "service"; version = "1.2.3"; ip = "10.0.0.11"; boot_id = $boot
        os = @{ name = "Windows"; version = [Environment]::OSVersion.Version.ToString() }
        sequence = [DateTimeOffset]::UtcNow.ToUnixTimeMilliseconds() } | ConvertTo-Json
    $utf8 = [Text.Encoding]::UTF8.GetBytes($beat) # Windows PowerShell sends text in another encoding.
    $taken = Invoke-RestMethod "$env:OVERVIEW/api/v1/heartbeats" -Method Post -Body $utf8 `
        -ContentType application/json -Headers @{ Authorization = "Bearer $token" }
    Start-Sleep -Milliseconds $taken.next_in_ms
}
